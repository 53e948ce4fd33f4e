import type { FileType } from '../../compress/quantize/file-types.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { CandidateOptions } from './budget/candidates.ts';
import type { GivenBudgets } from './budget/budget.ts';

/** SHA-256 hashes. */
export interface ExpectedHashes {
  /** Of the model's keys and weights. */
  readonly model?: string | undefined;
  /** Of texts and tasks, by name. */
  readonly data: ReadonlyMap<string, string>;
}

/** What to shrink, how far, and what to look at. */
export interface ShrinkRequest extends GivenBudgets, CandidateOptions {
  /** A Hugging Face folder, a GGUF file or `sample`. */
  readonly model: string;
  /** What model, texts and tasks must be. */
  readonly expected?: ExpectedHashes | undefined;
  /** Calibration texts; those in the box when left out. */
  readonly data?: readonly string[] | undefined;
  /** Take no more tokens of them than this. */
  readonly tokens?: number | undefined;
  /** Tokens of a window. Default 512, or what the model was trained on if that is less. */
  readonly context?: number | undefined;
  /** Texts and tasks (.yaml) to measure the files on; the text in the box when left out. */
  readonly evaluation?: readonly string[] | undefined;
  /** Score no more tokens of these texts than this. */
  readonly maxTokens?: number | undefined;
  /** Data files of the one task, or a folder of them, as for `evaluateTasks`. */
  readonly taskData?: readonly string[] | undefined;
  /** Ask no more than the first rows of each data file of a task. */
  readonly limit?: number | undefined;
  /** Also measure speed and energy for the report. Default true. */
  readonly speed?: boolean | undefined;
  /** What every version continues in the report. */
  readonly prompt?: string | undefined;
  /** The mix of llama.cpp to show beside each file. Default the one of nearest size. */
  readonly beside?: FileType | undefined;
}

/** Where to work, and how. */
export interface ShrinkTarget {
  /** The folder of everything that is written. */
  readonly output: string;
  /** Replace the results of an earlier run. */
  readonly force?: boolean | undefined;
  readonly threads?: number | undefined;
  /** The folder of kept scores, as for `evaluate`. */
  readonly cache?: string | undefined;
  /** The command line, for the report. */
  readonly command?: string | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}
