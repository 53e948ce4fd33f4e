import { PithError } from '../../util/errors.ts';
import { limits } from './limits.ts';

/**
 * Thrown by `Cursor` when its window must be `needed` bytes long: the reader fetches more and parses
 * the same entry again.
 */
export class WindowTooShort extends Error {
  readonly needed: number;

  constructor(needed: number) {
    super(`The window must hold ${needed} bytes.`);
    this.needed = needed;
  }
}

/** A place in the header to come back to. */
export interface Mark {
  readonly position: number;
  readonly itemsLeft: number;
}

/**
 * Reads little-endian values from a window of a file, checking every length against the file.
 *
 * All methods throw `PithError` (`truncated` when the file ends first, `corrupt` when a length is
 * beyond reason) or `WindowTooShort`.
 */
export class Cursor {
  readonly name: string;
  readonly fileBytes: number;
  #itemsLeft: number = limits.items;
  #bytes: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #at = 0;

  constructor(source: { readonly name: string; readonly byteLength: number }) {
    this.name = source.name;
    this.fileBytes = source.byteLength;
  }

  /** Position in the file. */
  get position(): number {
    return this.#start + this.#at;
  }

  mark(): Mark {
    return { position: this.position, itemsLeft: this.#itemsLeft };
  }

  /** Goes back to `mark` and returns what the window holds from there. */
  rewind(mark: Mark): Uint8Array {
    this.#at = mark.position - this.#start;
    this.#itemsLeft = mark.itemsLeft;
    return this.#bytes.subarray(this.#at);
  }

  /** Replaces the window by `bytes`, which begin at the present position. */
  refill(bytes: Uint8Array): void {
    this.#start = this.position;
    this.#at = 0;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A value of `size` bytes, got by `get(view, at)`. */
  scalar<T>(size: number, get: (view: DataView, at: number) => T): T {
    this.expect(size, 'a value');
    const value = get(this.#view, this.#at);
    this.#at += size;
    return value;
  }

  uint32(): number {
    return this.scalar(4, (view, at) => view.getUint32(at, true));
  }

  /** A 64-bit count, size or offset; beyond 2^53 it can only be damage. */
  uint64(what: string): number {
    const value = this.scalar(8, (view, at) => view.getBigUint64(at, true));
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw this.corrupt(`${what} is ${value}, which no file can hold.`);
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number, what: string): Uint8Array {
    this.expect(length, what);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  /** Checks that `count` items of at least `bytesEach` bytes can follow, before they get memory. */
  expectItems(count: number, bytesEach: number): void {
    this.expect(count * bytesEach, `an array of ${count}`);
    this.#itemsLeft -= count;
    if (this.#itemsLeft < 0) {
      throw this.corrupt(`arrays of more than ${limits.items} strings or booleans are refused.`);
    }
  }

  /** Checks that `length` more bytes are in the file, then in the window. */
  expect(length: number, what: string): void {
    const end = this.#at + length;
    if (end <= this.#bytes.length) return;
    const { position, fileBytes } = this;
    if (position + length > limits.headerBytes) {
      throw this.corrupt(`${what} would make the header larger than ${limits.headerBytes} bytes.`);
    }
    if (position + length <= fileBytes) throw new WindowTooShort(end);
    throw new PithError(
      'truncated',
      `${this.name}: ${what} of ${length} bytes at byte ${position} runs past the end at ${fileBytes}.`,
      'The file is cut short or damaged: copy or download it again.',
    );
  }

  corrupt(problem: string): PithError {
    return new PithError(
      'corrupt',
      `${this.name}: near byte ${this.position}: ${problem}`,
      'The file is damaged or not written to the GGUF specification: get it again from its source.',
    );
  }
}
