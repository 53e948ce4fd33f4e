import type { OnProgress } from '../../util/progress.ts';

/** What to measure, on what. */
export interface CalibrateRequest {
  /** A Hugging Face folder, a GGUF file or `sample`. */
  readonly model: string;
  /** Text files; the text in the box when left out. */
  readonly data?: readonly string[];
  /** Tokens of a window. Default 512, or what the model was trained on if that is less. */
  readonly context?: number | undefined;
  /** Take no more tokens than this. */
  readonly maxTokens?: number | undefined;
  /** Also gradients. Default true. */
  readonly gradients?: boolean;
  /** Also Hessians of so many neighbouring input columns, `Infinity` for full ones. Default none. */
  readonly hessianBlock?: number | undefined;
}

/** Where to write, and how. */
export interface CalibrateTarget {
  /** The evidence file. */
  readonly output: string;
  /** Also an importance matrix for llama-quantize. */
  readonly imatrix?: string | undefined;
  readonly force?: boolean;
  readonly threads?: number;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}
