import { fork, type ChildProcess } from 'node:child_process';
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
export function askProbe<Task extends ProbeTask>(task: Task): Promise<ProbeAnswer<Task>> {
  return new Promise((resolve) => {
    const child = fork(new URL('./probe-child.js', import.meta.url), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => {
      resolve({ problem: `It did not load within ${timeoutMs / 1000} s.` });
      child.kill('SIGKILL');
    }, timeoutMs);
    child.once('message', (answer) => resolve(answer as ProbeAnswer<Task>));
    child.once('error', (error) => resolve({ problem: error.message }));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ problem: `The process that loads it ended with ${signal ?? `code ${code}`}.` });
    });
    ask(child, task);
  });
}

function ask(child: ChildProcess, task: ProbeTask): void {
  child.send(task, () => undefined);
}
