import type { OnProgress } from '../../util/progress.ts';
import type { EngineName } from './engines.ts';
import type { EvaluationSession } from './session.ts';

/** What to evaluate on what. */
export interface EvaluateRequest {
  /** A Hugging Face folder, a GGUF file or `sample`. */
  readonly model: string;
  /** The model it was made from: what it lost is measured against this one. */
  readonly against?: string | undefined;
  /** Text files; `sample` is the text in the box. For `evaluateTasks`: task files, or shipped ones by name. */
  readonly data: readonly string[];
  /** Default `onnx`. */
  readonly engine?: EngineName | 'both' | undefined;
  /** Tokens of a window. Default 512, or what the model was trained on if that is less. */
  readonly context?: number | undefined;
  /** Tokens that a window scores. Default half the context. */
  readonly stride?: number | undefined;
  /** Score no more tokens than this. */
  readonly maxTokens?: number | undefined;
  /** Data files of the one task, or a folder of them, instead of what its file names. */
  readonly taskData?: readonly string[] | undefined;
  /** Ask no more than the first rows of each data file of a task. */
  readonly limit?: number | undefined;
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** The folder of the base's scores and of what an interrupted evaluation continues. */
  readonly cache?: string | undefined;
  readonly threads?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a command that evaluates several times, which ends it; default one of its own. */
  readonly session?: EvaluationSession | undefined;
}
