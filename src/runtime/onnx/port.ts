import { Worker } from 'node:worker_threads';
import { PithError } from '../../util/errors.ts';
import { OnnxHost } from './host.ts';
import { importOnnxRuntime } from './library.ts';
import type { OnnxPort, OnnxReply, SessionSettings } from './protocol.ts';

/**
 * Starts ONNX Runtime in a thread of its own.
 *
 * Run from TypeScript sources (tests), where a thread cannot load `.ts`, it works on the calling
 * thread, which it then blocks.
 *
 * @throws PithError `engine-missing`, `engine` when it does not load, from sources; a thread says so
 *   in its first reply.
 */
export async function openOnnxPort(settings: SessionSettings): Promise<OnnxPort> {
  return import.meta.url.endsWith('.ts') ? inlinePort(settings) : workerPort(settings);
}

async function inlinePort(settings: SessionSettings): Promise<OnnxPort> {
  const host = new OnnxHost(await importOnnxRuntime(), settings);
  let listener: ((reply: OnnxReply) => void) | undefined;
  return {
    send: (message) => void host.handle(message).then((reply) => listener?.(reply)),
    listen: (onReply) => {
      listener = onReply;
    },
    ended: () => Promise.resolve(),
  };
}

function workerPort(workerData: SessionSettings): OnnxPort {
  const worker = new Worker(new URL('./onnx-worker.js', import.meta.url), { workerData });
  const ended = new Promise<number>((resolve) => worker.once('exit', resolve));
  let closing = false;
  return {
    send(message, transfer) {
      closing = message.request.kind === 'close';
      worker.postMessage(message, transfer);
    },
    listen(onReply, onFailure) {
      worker.on('message', onReply);
      worker.on('error', onFailure);
      void ended.then((code) => {
        if (!closing)
          onFailure(new PithError('engine', `The thread of ONNX Runtime ended with code ${code}.`));
      });
    },
    ended: () => ended.then(() => undefined),
  };
}
