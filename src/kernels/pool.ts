import type { EncodeError } from './kernels.ts';
import {
  slabOutputBytes,
  type Slab,
  type SlabMemory,
  type TranscodedSlab,
  type Transcoder,
} from './transcoder.ts';
import type { KernelPort, KernelReply, KernelRequest, KernelResult } from './worker-protocol.ts';
import type { FactorJob, FactorResult } from './feedback/factor-block.ts';
import type { TensorType } from '../tensor/dtypes.ts';
import { PithError } from '../util/errors.ts';

/** Requests a worker may hold at once: one in work and one waiting, so that it never idles. */
const requestsPerWorker = 2;

type Unsent<T> = T extends unknown ? Omit<T, 'id'> : never;

interface Waiting {
  readonly request: KernelRequest;
  resolve(result: KernelResult): void;
  reject(error: Error): void;
}

/**
 * Spreads slabs over workers. Slab memory is shared (`SharedArrayBuffer`): a slab that was read into
 * reserved memory is not copied at all; buffers are used again after `release`.
 *
 * A worker that dies rejects everything: a half-converted tensor is never mistaken for a whole one.
 */
export class KernelPool implements Transcoder {
  readonly #ports: readonly KernelPort[];
  readonly #load: number[];
  readonly #queue: Waiting[] = [];
  readonly #running = new Map<number, Waiting & { readonly port: number }>();
  readonly #spare: SharedArrayBuffer[] = [];
  #failure: Error | undefined;
  #nextId = 0;

  constructor(ports: readonly KernelPort[]) {
    this.#ports = ports;
    this.#load = ports.map(() => 0);
    for (const port of ports)
      port.listen(
        (reply) => this.#settle(reply),
        (error) => this.#fail(error),
      );
  }

  get threads(): number {
    return this.#ports.length;
  }

  reserve(byteLength: number): SlabMemory {
    const buffer = this.#borrow(byteLength);
    const release = () => this.#spare.push(buffer);
    return { bytes: new Uint8Array(buffer, 0, byteLength), release };
  }

  async transcode(slab: Slab): Promise<TranscodedSlab> {
    const { from, to, columns, importance, coupling } = slab;
    const memory = this.#shared(slab.bytes);
    const { bytes: out, release } = this.reserve(slabOutputBytes(slab));
    const { bytes } = memory;
    const sizes = { from, to, columns, bytes, out };
    const request = { kind: 'transcode', ...sizes, importance, coupling } as const;
    const error = (await this.#ask(request)) as EncodeError;
    memory.release();
    return { ...error, out, release };
  }

  async firstNonFinite(type: TensorType, slab: Uint8Array): Promise<number> {
    const { bytes, release } = this.#shared(slab);
    const index = (await this.#ask({ kind: 'scan', type, bytes })) as number;
    release();
    return index;
  }

  async factor(job: FactorJob): Promise<FactorResult> {
    const { buffer, byteOffset, byteLength } = job.out;
    const memory = this.#shared(new Uint8Array(buffer, byteOffset, byteLength));
    const out = new Float32Array(memory.bytes.buffer, memory.bytes.byteOffset, job.out.length);
    const result = (await this.#ask({ kind: 'factor', job: { ...job, out } })) as FactorResult;
    if (out.buffer !== buffer) job.out.set(out);
    memory.release();
    return result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
  }

  #ask(request: Unsent<KernelRequest>): Promise<KernelResult> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ request: { ...request, id: this.#nextId++ }, resolve, reject });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const port = this.#load.indexOf(Math.min(...this.#load));
      if (this.#load[port]! >= requestsPerWorker) return;
      const next = this.#queue.shift()!;
      this.#load[port]!++;
      this.#running.set(next.request.id, { ...next, port });
      this.#ports[port]!.send(next.request);
    }
  }

  #settle(reply: KernelReply): void {
    const running = this.#running.get(reply.id);
    if (!running) return;
    this.#running.delete(reply.id);
    this.#load[running.port]!--;
    if (reply.error) {
      const { code, message, hint } = reply.error;
      running.reject(code ? new PithError(code, message, hint) : new Error(message));
    } else running.resolve(reply.result);
    this.#dispatch();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of [...this.#running.values(), ...this.#queue]) waiting.reject(error);
    this.#running.clear();
    this.#queue.length = 0;
  }

  /** The same bytes in memory that workers see; a copy unless they lie there already. */
  #shared(bytes: Uint8Array): SlabMemory {
    if (bytes.buffer instanceof SharedArrayBuffer) return { bytes, release: () => undefined };
    const memory = this.reserve(bytes.length);
    memory.bytes.set(bytes);
    return memory;
  }

  /** The smallest spare buffer that holds `length` bytes, or a new one. */
  #borrow(length: number): SharedArrayBuffer {
    let best = -1;
    for (const [index, buffer] of this.#spare.entries()) {
      const fits = buffer.byteLength >= length && buffer.byteLength <= 2 * length + 4096;
      if (fits && (best < 0 || buffer.byteLength < this.#spare[best]!.byteLength)) best = index;
    }
    if (best >= 0) return this.#spare.splice(best, 1)[0]!;
    if (this.#spare.length > 4 * this.#ports.length) this.#spare.shift();
    return new SharedArrayBuffer(length);
  }
}
