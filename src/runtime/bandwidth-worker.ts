import { parentPort, workerData } from 'node:worker_threads';

/** What a reading thread is told and what it answers. */
export interface BandwidthTask {
  readonly bytes: number;
  readonly milliseconds: number;
}

const { bytes, milliseconds } = workerData as BandwidthTask;
const memory = Buffer.alloc(bytes, 1);
parentPort?.once('message', () => {
  const end = performance.now() + milliseconds;
  let best = Infinity;
  for (let now = performance.now(); now < end;) {
    const start = now;
    memory.indexOf(0);
    now = performance.now();
    best = Math.min(best, now - start);
  }
  parentPort?.postMessage((bytes * 1000) / best);
});
parentPort?.postMessage('ready');
