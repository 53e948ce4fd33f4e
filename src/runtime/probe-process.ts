import { PithError } from '../util/errors.ts';
import { askChild } from './ask-child.ts';
import type { OnnxProvider } from './onnx/provider-names.ts';
import type { ProviderTrial } from './onnx/provider-trial.ts';

/** What a probing child is asked to load. */
export type ProbeTask = LlamaTask | OnnxTask;

/** llama.cpp with a kind of device. */
export interface LlamaTask {
  readonly engine: 'llama.cpp';
  readonly gpu: 'cuda' | 'metal' | 'vulkan' | false;
}

/** ONNX Runtime with a provider. */
export interface OnnxTask {
  readonly engine: 'onnxruntime';
  readonly provider: OnnxProvider;
  readonly threads: number;
}

/** What it found, or why there is nothing. */
export type ProbeAnswer<Task extends ProbeTask = ProbeTask> =
  | { readonly problem: string }
  | (Task extends LlamaTask
      ? { readonly release: string; readonly devices: readonly string[] }
      : ProviderTrial);

const timeoutMs = 30_000;

/** Loads an engine in a child process; what goes wrong there, in whatever way, is a `problem`. */
export async function askProbe<Task extends ProbeTask>(task: Task): Promise<ProbeAnswer<Task>> {
  try {
    return await askChild(new URL('./probe-child.js', import.meta.url), task, { onEnd, timeoutMs });
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function onEnd(how: string): PithError {
  return new PithError('engine', `The process that loads it ended with ${how}.`);
}
