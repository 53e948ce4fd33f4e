import process from 'node:process';
import { importLlama } from './llama-library.ts';
import type { ProbeAnswer, ProbeTask } from './probe.ts';

/** Loads one engine in this process, which may die of it, and tells the parent how it went. */
async function probe({ gpu }: ProbeTask): Promise<ProbeAnswer> {
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

process.once('message', (task) => {
  void probe(task as ProbeTask)
    .catch((error: unknown): ProbeAnswer => ({ problem: describe(error as Error) }))
    .then((answer) => process.send?.(answer, () => process.disconnect()));
});
