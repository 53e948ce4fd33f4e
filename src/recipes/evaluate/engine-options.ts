import type { OnProgress } from '../../util/progress.ts';

/** How to open a model in an engine. */
export interface EngineOptions {
  /** Tokens of the longest text. */
  readonly contextLength: number;
  readonly threads?: number | undefined;
  /** Where a temporary GGUF file of a folder may lie. */
  readonly temporary: string;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}
