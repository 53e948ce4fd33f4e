import { parentPort, workerData } from 'node:worker_threads';
import { createWasmKernels } from '../kernels/wasm.ts';
import { answerRequest, type KernelRequest } from '../kernels/worker-protocol.ts';

/** What a kernel worker is started with. */
export interface KernelWorkerData {
  readonly module: WebAssembly.Module;
}

// Entry of a kernel worker thread: one wasm instance, one request at a time.
const port = parentPort;
if (port) {
  const { module } = workerData as KernelWorkerData;
  const kernels = await createWasmKernels(module);
  port.on('message', (request: KernelRequest) => port.postMessage(answerRequest(kernels, request)));
}
