import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { ByteSource } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { corrupt } from './errors.ts';

/** Bytes that are read ahead: many small fields at once, and little in vain between large weights. */
const windowBytes = 2 ** 16;
/** A tag and a length, or a tag and a number. */
const headBytes = 20;

/** Where the content of a message or of a field of bytes lies in a file. */
export interface Place {
  readonly offset: number;
  readonly byteLength: number;
}

/** A message without the fields that were taken apart. */
interface Split {
  /** Bytes of the other fields, one after the other. */
  readonly rest: Uint8Array;
  readonly apart: readonly Place[];
}

/** Finds large fields of a protobuf file without reading them. */
export class Scanner {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /**
   * Takes the fields of one number, which hold bytes or messages, out of a message.
   *
   * @throws {@link PithError} `truncated` or `corrupt` with the offset.
   */
  async split(message: Place, fieldNumber: number): Promise<Split> {
    const end = message.offset + message.byteLength;
    const apart: Place[] = [];
    const runs: Place[] = [];
    let runStart = message.offset;
    const endRun = (offset: number) => {
      if (offset > runStart) runs.push({ offset: runStart, byteLength: offset - runStart });
    };
    for (let at = message.offset; at < end;) {
      const field = await this.#field(at, end);
      const next = field.offset + field.byteLength;
      if (field.number === fieldNumber && field.wireType === WireType.LengthDelimited) {
        apart.push({ offset: field.offset, byteLength: field.byteLength });
        endRun(at);
        runStart = next;
      }
      at = next;
    }
    endRun(end);
    return { rest: await this.#join(runs), apart };
  }

  /** The bytes at a place; a view where possible. */
  async bytes({ offset, byteLength }: Place): Promise<Uint8Array> {
    const start = offset - this.#windowStart;
    if (start >= 0 && start + byteLength <= this.#window.length) {
      return this.#window.subarray(start, start + byteLength);
    }
    return this.#source.read(offset, byteLength);
  }

  /** The field whose tag is at `at`. */
  async #field(
    at: number,
    end: number,
  ): Promise<Place & { readonly number: number; readonly wireType: WireType }> {
    const reader = new BinaryReader(await this.#ahead(at, Math.min(headBytes, end - at)));
    const [number, wireType] = this.#decoding(at, () => reader.tag());
    if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) {
      throw corrupt(this.#source.name, `byte ${at} starts a group, which ONNX does not use`);
    }
    const delimited = wireType === WireType.LengthDelimited;
    const byteLength = this.#decoding(at, () => {
      return delimited ? reader.uint32() : reader.skip(wireType).length;
    });
    const offset = at + reader.pos - (delimited ? 0 : byteLength);
    if (offset + byteLength > end) {
      throw new PithError(
        'truncated',
        `${this.#source.name}: the field at byte ${at} has ${byteLength} bytes, but ${end - offset} are left.`,
        'The file is cut short: copy or download it again.',
      );
    }
    return { number, wireType, offset, byteLength };
  }

  #decoding<T>(at: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      const problem = `at byte ${at} is no protobuf field (${(error as Error).message})`;
      throw corrupt(this.#source.name, problem, error);
    }
  }

  /** At least `length` bytes from `offset`, out of the window that was read ahead. */
  async #ahead(offset: number, length: number): Promise<Uint8Array> {
    const start = offset - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) {
      const left = this.#source.byteLength - offset;
      this.#window = await this.#source.read(offset, Math.min(windowBytes, left));
      this.#windowStart = offset;
    }
    const from = offset - this.#windowStart;
    return this.#window.subarray(from, from + length);
  }

  async #join(runs: readonly Place[]): Promise<Uint8Array> {
    if (runs.length === 1) return this.bytes(runs[0]!);
    const all = new Uint8Array(runs.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const run of runs) {
      all.set(await this.bytes(run), at);
      at += run.byteLength;
    }
    return all;
  }
}
