import { PithError } from '../../util/errors.ts';

/** Mean squared activation of each input column of one tensor, of each expert after the other. */
export interface Importance {
  readonly experts: number;
  /** `[experts, columns]`, every value finite and not negative. */
  readonly values: Float32Array;
}

/** Importance of a model's tensors, measured by llama-imatrix on some text. */
export interface Imatrix {
  /** The file it was read from. */
  readonly source: string;
  readonly datasets: readonly string[];
  /** Chunks of text that were evaluated; 0 when the file does not say. */
  readonly chunks: number;
  /** By the name of the tensor. */
  readonly entries: ReadonlyMap<string, Importance>;
  readonly notes: readonly string[];
}

/** Sums of squares and counts are finite and never negative. */
export function requireMeasures(source: string, name: string, values: Float32Array): void {
  const at = values.findIndex((value) => !(value >= 0 && value < Infinity));
  if (at < 0) return;
  const code = values[at]! < 0 ? 'corrupt' : 'not-finite';
  throw new PithError(
    code,
    `${source}: the importance of ${name} is ${values[at]} at position ${at}.`,
    'Measure it again: the model or the text produced infinite activations.',
  );
}
