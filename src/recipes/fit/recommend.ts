import type { Figure } from '../../evaluate/figure.ts';

/** Memory that a type needs at one context length, and whether that is there. */
export interface MemoryCell {
  readonly contextLength: number;
  /** Weights, cache and activations; undefined when the model does not state its attention shape. */
  readonly totalBytes: number | undefined;
  readonly fits: boolean | undefined;
}

/** One type that the model could take. */
export interface FitRow {
  /** A file type of `pith quantize`, or `as it is` for the GGUF file itself. */
  readonly type: string;
  /** The finished file, exact. */
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly memory: readonly MemoryCell[];
  /**
   * Decoding after the first context length: a prediction, not a measurement; undefined for an
   * encoder, which decodes nothing.
   */
  readonly predictedTokensPerSecond: Figure | undefined;
  /** What makes the file; undefined for the file that is there. */
  readonly command: string | undefined;
}

/** The type to take, and why. */
export interface Recommendation {
  readonly type: string;
  readonly command: string | undefined;
  readonly reason: string;
}

/** Q8_0 has 8.5: more bits cost speed and show no gain. */
const enoughBits = 9;

/**
 * The type with the most bits per weight, up to 9, that fits at the first context length and is
 * predicted to decode at the wanted speed; when none is that fast, the fastest that fits.
 *
 * @returns undefined when nothing fits, or memory is not known.
 */
export function recommend(
  rows: readonly FitRow[],
  wantedTokensPerSecond: number,
): Recommendation | undefined {
  const fitting = rows.filter(({ memory }) => memory[0]?.fits);
  const bySize = fitting.toSorted((a, b) => b.bitsPerWeight - a.bitsPerWeight);
  const small = bySize.filter(({ bitsPerWeight }) => bitsPerWeight <= enoughBits);
  const candidates = small.length > 0 ? small : bySize.slice(-1);
  const speedOf = (row: FitRow) => row.predictedTokensPerSecond?.value ?? Infinity;
  const fast = candidates.find((row) => speedOf(row) >= wantedTokensPerSecond);
  if (fast) {
    const isFast = fast.predictedTokensPerSecond !== undefined;
    const reason =
      'the most bits that fit' +
      (isFast ? ` and reach ${wantedTokensPerSecond} tokens/s by prediction` : '');
    return { type: fast.type, command: fast.command, reason };
  }
  const fastest = candidates.toSorted((a, b) => speedOf(b) - speedOf(a))[0];
  if (!fastest) return undefined;
  const reason = `the fastest that fits; none reaches ${wantedTokensPerSecond} tokens/s by prediction`;
  return { type: fastest.type, command: fastest.command, reason };
}
