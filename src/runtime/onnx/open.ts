import { availableParallelism } from 'node:os';
import { writeOnnx } from '../../formats/onnx/write.ts';
import { toOnnx } from '../../graph/to-onnx.ts';
import { PithError } from '../../util/errors.ts';
import { OnnxEngine } from './engine.ts';
import { installedOnnxRuntime } from './library.ts';
import { openOnnxPort } from './port.ts';
import { providersHere, type OnnxProvider } from './provider-names.ts';
import { firstThatLoads, quickest, tryProviders, type ChosenProvider } from './providers.ts';

/** How to open ONNX Runtime. */
export interface OnnxOptions {
  /** Threads of each session. Default: the cores this process may use. */
  readonly threads?: number;
  /**
   * Providers in order of preference: the first that loads. Default: the quickest that computes in
   * full 32-bit floats, found by trying, the CPU unless another is 1.5 times as quick.
   */
  readonly providers?: readonly OnnxProvider[];
  readonly signal?: AbortSignal;
}

/**
 * Opens ONNX Runtime in a worker thread.
 *
 * A run cannot be stopped from outside: a cancelled one is dropped when it returns, and ending the
 * process inside one ends it with an abort. Close the engine first.
 *
 * @throws PithError `engine-missing` when onnxruntime-node is not installed; `engine` when it does not
 *   load or none of `providers` does; `cancelled`.
 */
export async function openOnnxEngine(options: OnnxOptions = {}): Promise<OnnxEngine> {
  const { threads = availableParallelism(), signal } = options;
  const name = `ONNX Runtime ${installedOnnxRuntime()}`;
  const { provider, passedOver } = await choose(options.providers, threads);
  if (signal?.aborted) throw new PithError('cancelled', 'Opening ONNX Runtime was cancelled.');
  const port = await openOnnxPort({ threads, provider });
  return new OnnxEngine(port, { name, provider, threads, passedOver }, (graph) =>
    writeOnnx(toOnnx(graph)),
  );
}

async function choose(
  wanted: readonly OnnxProvider[] | undefined,
  threads: number,
): Promise<ChosenProvider> {
  const cpuOnly = wanted ? wanted[0] === 'cpu' : import.meta.url.endsWith('.ts');
  if (cpuOnly) return { provider: 'cpu', passedOver: [] };
  const tried = await tryProviders(wanted ?? providersHere(), threads);
  return wanted ? firstThatLoads(tried) : quickest(tried);
}
