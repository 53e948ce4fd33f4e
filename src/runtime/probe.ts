import { availableParallelism, platform } from 'node:os';
import { providersHere, type OnnxProvider } from './onnx/provider-names.ts';
import { askProbe, type LlamaTask } from './probe-process.ts';

/** Whether an engine loads on this machine. */
export interface EngineReport {
  /** For example `llama.cpp (CPU)`. */
  readonly name: string;
  readonly ok: boolean;
  /** Version and devices, or why it does not load. */
  readonly detail: string;
}

/**
 * Tries to load every variant of llama.cpp and ONNX Runtime that this system may have, each in a
 * process of its own: a driver that crashes or hangs takes only that process with it.
 */
export async function probeEngines(): Promise<EngineReport[]> {
  const gpus: readonly LlamaTask['gpu'][] =
    platform() === 'darwin' ? [false, 'metal'] : [false, 'cuda', 'vulkan'];
  return Promise.all([...gpus.map(probeLlama), ...providersHere().map(probeOnnx)]);
}

async function probeLlama(gpu: LlamaTask['gpu']): Promise<EngineReport> {
  const name = `llama.cpp (${gpu === false ? 'CPU' : gpu})`;
  const answer = await askProbe({ engine: 'llama.cpp', gpu });
  if ('problem' in answer) return { name, ok: false, detail: answer.problem };
  const { release, devices } = answer;
  return { name, ok: true, detail: [`release ${release}`, ...devices].join(', ') };
}

async function probeOnnx(provider: OnnxProvider): Promise<EngineReport> {
  const name = `ONNX Runtime (${provider === 'cpu' ? 'CPU' : provider})`;
  const threads = availableParallelism();
  const answer = await askProbe({ engine: 'onnxruntime', provider, threads });
  if ('problem' in answer) return { name, ok: false, detail: answer.problem };
  const error = answer.relativeError.toExponential(1);
  const product = `a matrix product in ${answer.milliseconds.toFixed(1)} ms, relative error ${error}`;
  return { name, ok: true, detail: `version ${answer.version}, ${product}` };
}
