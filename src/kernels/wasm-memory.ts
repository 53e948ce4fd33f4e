import { PithError } from '../util/errors.ts';

/** What every part of the wasm kernels exports. */
export interface WasmExports {
  readonly memory: WebAssembly.Memory;
  heapBase(): number;
  readonly [name: string]: unknown;
}

/** Vectors are read whole: a kernel may look this far past the end of a buffer. */
const overread = 64;

/** The linear memory of one instance: everything from `base` on is scratch for the duration of a call. */
export class WasmMemory {
  readonly base: number;
  readonly #exports: WasmExports;

  constructor(exports: WasmExports) {
    this.#exports = exports;
    this.base = exports.heapBase();
  }

  /** Detached, once memory has grown. */
  get buffer(): ArrayBuffer {
    return this.#exports.memory.buffer;
  }

  /** Makes memory reach to byte `end`, and what is read past it. */
  reserve(end: number): void {
    const missing = end + overread - this.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / 65536));
  }

  view<T>(
    kind: new (buffer: ArrayBuffer, offset: number, length: number) => T,
    offset: number,
    length: number,
  ): T {
    return new kind(this.buffer, offset, length);
  }

  function<F>(name: string): F {
    const found = this.#exports[name];
    if (typeof found !== 'function')
      throw new PithError('unsupported', `The wasm kernels have no ${name}.`);
    return found as F;
  }

  #grow(pages: number): void {
    try {
      this.#exports.memory.grow(pages);
    } catch (cause) {
      throw new PithError(
        'unsupported',
        `The wasm kernels cannot get ${pages * 65536} more bytes of memory.`,
        'Pass fewer rows at a time.',
        { cause },
      );
    }
  }
}
