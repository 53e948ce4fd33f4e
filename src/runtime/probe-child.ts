import { answerParent } from './ask-child.ts';
import { importLlama } from './llama-library.ts';
import { tryProvider } from './onnx/provider-trial.ts';
import type { LlamaTask, ProbeAnswer, ProbeTask } from './probe-process.ts';

/** Loads one engine in this process, which may die of it, and tells the parent how it went. */
function probe(task: ProbeTask): Promise<ProbeAnswer> {
  return task.engine === 'llama.cpp' ? probeLlama(task) : tryProvider(task.provider, task.threads);
}

async function probeLlama({ gpu }: LlamaTask): Promise<ProbeAnswer> {
  const library = await importLlama();
  const llama = await library.getLlama({
    gpu,
    build: 'never',
    logLevel: library.LlamaLogLevel.disabled,
    progressLogs: false,
  });
  const devices = gpu === false ? [] : await llama.getGpuDeviceNames();
  const answer = { release: llama.llamaCppRelease.release, devices };
  await llama.dispose();
  return answer;
}

function describe({ message }: Error): string {
  return message === 'NoBinaryFoundError' ? 'no device or driver for it, or no build' : message;
}

answerParent((task: ProbeTask) =>
  probe(task).catch((error: unknown): ProbeAnswer => ({ problem: describe(error as Error) })),
);
