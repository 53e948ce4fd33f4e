import { parentPort, workerData } from 'node:worker_threads';
import { memoryOf, OnnxHost, failureReply } from './host.ts';
import { importOnnxRuntime } from './library.ts';
import type { Numbered, SessionSettings } from './protocol.ts';

// Entry of the thread that owns ONNX Runtime. It ends by closing its port when asked to: terminating
// a thread that is inside ONNX Runtime aborts the process (1.30.0).
const port = parentPort;
if (port) {
  const host = importOnnxRuntime().then(
    (library) => new OnnxHost(library, workerData as SessionSettings),
  );
  const answer = async (message: Numbered): Promise<void> => {
    const reply = await host.then(
      (ready) => ready.handle(message),
      (error: unknown) => failureReply(message.id, error),
    );
    port.postMessage(reply, memoryOf(reply));
    if (message.request.kind === 'close') port.close();
  };
  port.on('message', (message: Numbered) => void answer(message));
}
