import { Worker } from 'node:worker_threads';
import { compileKernels } from '../kernels/compile.ts';
import { KernelPool } from '../kernels/pool.ts';
import { inlineTranscoder, type Transcoder } from '../kernels/transcoder.ts';
import type { KernelPort } from '../kernels/worker-protocol.ts';
import { PithError } from '../util/errors.ts';
import type { KernelWorkerData } from './kernel-worker.ts';

/**
 * Starts a pool of worker threads with one wasm instance each; with one thread the kernels run on
 * a worker too, so that reading and writing overlap with the work.
 *
 * Run from TypeScript sources (tests), where a thread cannot load `.ts`, it works on the calling
 * thread and says so through `threads: 1`.
 */
export async function startTranscoder(threads: number): Promise<Transcoder> {
  if (import.meta.url.endsWith('.ts')) {
    const { createWasmKernels } = await import('../kernels/wasm.ts');
    return inlineTranscoder(await createWasmKernels());
  }
  const module = await compileKernels();
  return new KernelPool(Array.from({ length: threads }, () => nodePort({ module })));
}

function nodePort(workerData: KernelWorkerData): KernelPort {
  const worker = new Worker(new URL('./kernel-worker.js', import.meta.url), {
    workerData,
    // It makes little garbage; a larger nursery only fills memory, once a thread.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  let closing = false;
  return {
    send: (request) => worker.postMessage(request),
    listen(onReply, onFailure) {
      worker.on('message', onReply);
      worker.on('error', onFailure);
      worker.on('exit', (code) => {
        if (!closing)
          onFailure(new PithError('engine', `A kernel thread ended with code ${code}.`));
      });
    },
    async close() {
      closing = true;
      await worker.terminate();
    },
  };
}
