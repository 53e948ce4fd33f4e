import { parentPort } from 'node:worker_threads';
import { createWasmKernels } from '../kernels/wasm.ts';
import { answerRequest, type KernelRequest } from '../kernels/worker-protocol.ts';

// Entry of a kernel worker thread: one wasm instance, one request at a time.
const port = parentPort;
if (port) {
  const kernels = await createWasmKernels();
  port.on('message', (request: KernelRequest) => port.postMessage(answerRequest(kernels, request)));
}
