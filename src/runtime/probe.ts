import { fork, type ChildProcess } from 'node:child_process';
import { platform } from 'node:os';

/** What a probing child is asked to load. */
export interface ProbeTask {
  readonly gpu: 'cuda' | 'metal' | 'vulkan' | false;
}

/** What it found. */
export type ProbeAnswer =
  | { readonly release: string; readonly devices: readonly string[] }
  | { readonly problem: string };

/** Whether an engine loads on this machine. */
export interface EngineReport {
  /** For example `llama.cpp (CPU)`. */
  readonly name: string;
  readonly ok: boolean;
  /** Version and devices, or why it does not load. */
  readonly detail: string;
}

const timeoutMs = 30_000;

/**
 * Tries to load every variant of llama.cpp that this system may have, each in a process of its own:
 * a driver that crashes or hangs takes only that process with it.
 */
export async function probeEngines(): Promise<EngineReport[]> {
  const gpus: readonly ProbeTask['gpu'][] =
    platform() === 'darwin' ? [false, 'metal'] : [false, 'cuda', 'vulkan'];
  return Promise.all(gpus.map((gpu) => probeOne({ gpu })));
}

async function probeOne(task: ProbeTask): Promise<EngineReport> {
  const name = `llama.cpp (${task.gpu === false ? 'CPU' : task.gpu})`;
  const answer = await askChild(task);
  if ('problem' in answer) return { name, ok: false, detail: answer.problem };
  const { release, devices } = answer;
  return { name, ok: true, detail: [`release ${release}`, ...devices].join(', ') };
}

function askChild(task: ProbeTask): Promise<ProbeAnswer> {
  return new Promise((resolve) => {
    const child = fork(new URL('./probe-child.js', import.meta.url), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => {
      resolve({ problem: `It did not load within ${timeoutMs / 1000} s.` });
      child.kill('SIGKILL');
    }, timeoutMs);
    child.once('message', (answer) => resolve(answer as ProbeAnswer));
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
