import { askChild, crashedOn } from '../../runtime/ask-child.ts';
import type { BenchReport } from './bench.ts';

/** What a process that times a file is asked. */
export interface BenchTask {
  /** Of a GGUF file. */
  readonly path: string;
  readonly threads?: number | undefined;
  readonly factorsFile?: string | undefined;
  readonly repeats?: number | undefined;
}

/**
 * `bench` in a process of its own, so that its peak memory is not that of work done before, and a
 * crash of llama.cpp is an error.
 *
 * @throws PithError as `bench`; `engine` when the process crashes; `cancelled`.
 */
export function benchApart(task: BenchTask, signal?: AbortSignal): Promise<BenchReport> {
  const options = { onEnd: crashedOn(task.path), signal };
  return askChild(new URL('./bench-child.js', import.meta.url), task, options);
}
