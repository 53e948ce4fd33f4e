import { PithError } from '../../util/errors.ts';
import type { OnnxAnswer, OnnxPort, OnnxReply, OnnxRequest } from './protocol.ts';

interface Waiting {
  resolve(answer: OnnxAnswer): void;
  reject(error: Error): void;
}

/** Requests and replies over a port; a port that dies rejects everything, now and later. */
export class Line {
  readonly #port: OnnxPort;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  constructor(port: OnnxPort) {
    this.#port = port;
    port.listen(
      (reply) => this.#settle(reply),
      (error) => this.#fail(error),
    );
  }

  /**
   * Sends a request; memory in `transfer` is handed over.
   *
   * @throws PithError `engine` when the other side failed at this or has died; whatever it threw.
   */
  ask(request: OnnxRequest, transfer: readonly ArrayBuffer[] = []): Promise<OnnxAnswer> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#port.send({ id, request }, transfer);
    });
  }

  /** Waits for what was asked before, then ends the other side. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.#failure) return;
    const last = this.ask({ kind: 'close' });
    this.#failure = new PithError('engine', 'The engine was closed.');
    await last;
    await this.#port.ended();
  }

  #settle(reply: OnnxReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (!reply.error) waiting?.resolve(reply.answer);
    else waiting?.reject(new PithError(reply.error.code, reply.error.message, reply.error.hint));
  }

  #fail(cause: Error): void {
    const said = cause instanceof PithError ? cause.message : `ONNX Runtime died: ${cause.message}`;
    this.#failure ??= new PithError('engine', said, 'Open a new engine.', { cause });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}
