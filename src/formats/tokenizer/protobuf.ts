import { PithError } from '../../util/errors.ts';

/** One field of a protobuf message: a number for varint, fixed32 and fixed64, bytes otherwise. */
export interface ProtobufField {
  readonly number: number;
  /** Wire type 0 (low 53 bits, two's complement above), or 5 as float32. */
  readonly value: number;
  /** Wire type 2: a string, bytes or a nested message. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * Reads the fields of one protobuf message in order; every length is checked against what is left.
 *
 * @param what - What the message is, for errors.
 * @throws {@link PithError} `corrupt` or `truncated` with the offset.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* protobufFields(bytes: Uint8Array, what: string): Generator<ProtobufField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (length: number): number => {
    const start = at;
    if (length > bytes.length - at)
      throw new PithError(
        'truncated',
        `${what}: a field at byte ${at} is ${length} bytes long, but ${bytes.length - at} are left.`,
        'Download the file again.',
      );
    at += length;
    return start;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[take(1)]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw corrupt(what, at, 'a varint is longer than 10 bytes');
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = Math.floor(key / 8);
    if (number < 1 || number > 2 ** 29) throw corrupt(what, at, `the field number is ${number}`);
    switch (key % 8) {
      case 0:
        yield { number, value: Number(varint()), bytes: undefined };
        break;
      case 1:
        yield { number, value: view.getFloat64(take(8), true), bytes: undefined };
        break;
      case 2: {
        const length = Number(varint());
        if (length < 0) throw corrupt(what, at, `a length is ${length}`);
        const start = take(length);
        yield { number, value: NaN, bytes: bytes.subarray(start, start + length) };
        break;
      }
      case 5:
        yield { number, value: view.getFloat32(take(4), true), bytes: undefined };
        break;
      default:
        throw corrupt(what, at, `the wire type is ${key % 8}`);
    }
  }
}

function corrupt(what: string, at: number, why: string): PithError {
  return new PithError('corrupt', `${what}: at byte ${at} ${why}.`, 'Download the file again.');
}
