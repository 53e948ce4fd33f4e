import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PithError } from '../util/errors.ts';
import { orCancelled } from '../util/or-cancelled.ts';
import type { BandwidthTask } from './bandwidth-worker.ts';

/** Reading speed of memory, and how it was measured. */
export interface Bandwidth {
  readonly bytesPerSecond: number;
  readonly threads: number;
  readonly method: string;
}

const bytesPerThread = 256 * 2 ** 20;
const milliseconds = 500;

/**
 * Measures how fast this machine reads memory with all cores at once, for half a second.
 *
 * Each thread searches a block of its own for a byte that is not there: `Buffer.indexOf` is C's
 * `memchr`, which reads with the widest loads the processor has and stores nothing. The best pass of
 * each thread counts, as this is a ceiling: other work on the machine only slows passes down. Blocks
 * are 256 MiB (less where memory, or a container's share of it, is short); a larger shared cache makes the figure too high. Checked
 * against a C loop of 512-bit loads: 83 % of it on one thread (median of three runs, shared vCPU).
 *
 * @throws PithError `engine` when a thread fails; `cancelled`.
 */
export async function measureBandwidth(signal?: AbortSignal): Promise<Bandwidth> {
  const threads = availableParallelism();
  const bytes = Math.min(bytesPerThread, Math.floor(process.availableMemory() / 4 / threads));
  const workerData: BandwidthTask = { bytes, milliseconds };
  const file = new URL('./bandwidth-worker.js', import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(file, { workerData }));
  try {
    const speeds = await orCancelled(speedsOf(workers), signal, cancelled);
    const bytesPerSecond = speeds.reduce((sum, speed) => sum + speed, 0);
    const size = `${Math.round(bytes / 2 ** 20)} MiB`;
    const method =
      `best pass of ${threads} thread${threads === 1 ? '' : 's'} at once, each reading ${size} ` +
      `with memchr for ${milliseconds} ms`;
    return { bytesPerSecond, threads, method };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Lets all of them begin at once, when all are ready. */
async function speedsOf(workers: readonly Worker[]): Promise<number[]> {
  await Promise.all(workers.map(message));
  const speeds = workers.map(message);
  for (const worker of workers) worker.postMessage('go');
  return Promise.all(speeds);
}

function cancelled(): PithError {
  return new PithError('cancelled', 'Stopped while the memory was measured.');
}

function message(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error?: unknown) =>
      reject(
        new PithError('engine', 'A thread that measures memory failed.', undefined, {
          cause: error,
        }),
      );
    worker.once('message', resolve);
    worker.once('error', fail);
    worker.once('exit', fail);
  });
}
