/** A growing buffer of little-endian values. */
export class ByteBuilder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Appends `size` bytes, which `set(view, at)` fills in. */
  scalar(size: number, set: (view: DataView, at: number) => void): void {
    this.#reserve(size);
    set(this.#view, this.#length);
    this.#length += size;
  }

  uint32(value: number): void {
    this.scalar(4, (view, at) => view.setUint32(at, value, true));
  }

  uint64(value: number): void {
    this.scalar(8, (view, at) => view.setBigUint64(at, BigInt(value), true));
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends zeros up to the next multiple of `alignment`. */
  pad(alignment: number): void {
    const end = Math.ceil(this.#length / alignment) * alignment;
    this.#reserve(end - this.#length);
    this.#length = end;
  }

  /** What was appended so far, as a view. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
