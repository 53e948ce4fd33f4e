import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { requireMeasures, type Imatrix, type Importance } from './importance.ts';

/** Names and data-set paths are short; a longer one is a sign of another format. */
const longestText = 4096;

/**
 * Reads llama-imatrix's older `.dat` form: a count of entries, then per entry its name, the number
 * of calls, and the sums over calls of mean squared activations; at the end, in later versions, the
 * number of chunks and the data set. All numbers are little-endian 32-bit.
 *
 * Such a file does not tell how many tokens each expert saw, so every tensor counts as one expert.
 *
 * @throws {@link PithError} `corrupt` when a length does not fit the file, `not-finite` on NaN or ∞.
 */
export async function readLegacyImatrix(source: ByteSource): Promise<Imatrix> {
  const cursor = new Cursor(source.name, await source.read(0, source.byteLength));
  const entries = new Map<string, Importance>();
  const count = cursor.int32('number of entries', 1, source.byteLength);
  for (let entry = 0; entry < count; entry++) {
    const name = cursor.text();
    const calls = cursor.int32('number of calls', 0, 2 ** 31);
    const length = cursor.int32('number of values', 1, source.byteLength);
    const values = cursor.floats(length).map((sum) => sum / Math.max(calls, 1));
    requireMeasures(source.name, name, values);
    entries.set(name, { experts: 1, values });
  }
  const chunks = cursor.atEnd ? 0 : cursor.int32('number of chunks', 0, 2 ** 31);
  const datasets = cursor.atEnd ? [] : [cursor.text()];
  return { source: source.name, datasets, chunks, entries, notes: [] };
}

/** Reads numbers in order and refuses what the file cannot hold. */
class Cursor {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  int32(what: string, least: number, most: number): number {
    const value = this.#view.getInt32(this.#take(4), true);
    if (value >= least && value <= most) return value;
    throw this.#corrupt(`the ${what} at byte ${this.#offset - 4} is ${value}`);
  }

  text(): string {
    const length = this.int32('length of a name', 0, longestText);
    const start = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  floats(count: number): Float32Array {
    const start = this.#take(count * 4);
    return new Float32Array(this.#bytes.slice(start, start + count * 4).buffer);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (start + length > this.#bytes.length) {
      const size = this.#bytes.length;
      throw this.#corrupt(`${length} bytes are due at byte ${start} of ${size}`);
    }
    this.#offset += length;
    return start;
  }

  #corrupt(what: string): PithError {
    return new PithError(
      'corrupt',
      `${this.#name} is no importance matrix: ${what}.`,
      'Make one with llama-imatrix -m MODEL -f TEXT -o imatrix.gguf.',
    );
  }
}
