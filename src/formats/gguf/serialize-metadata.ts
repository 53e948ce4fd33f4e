import { PithError } from '../../util/errors.ts';
import type { ByteBuilder } from './byte-builder.ts';
import {
  metadataTypes,
  type BigintType,
  type MetadataArray,
  type MetadataValue,
  type NumberType,
} from './metadata.ts';
import { bigintCodecs, numberCodecs } from './scalars.ts';
import { encodeText } from './text.ts';

/** Appends a string: 64-bit length, then its bytes. */
export function appendText(out: ByteBuilder, text: string): void {
  const bytes = encodeText(text);
  out.uint64(bytes.length);
  out.bytes(bytes);
}

/** Appends one key with its value; throws `unsupported` for a number that its type cannot hold. */
export function appendEntry(out: ByteBuilder, key: string, value: MetadataValue): void {
  if (key === '') throw new PithError('unsupported', 'A GGUF metadata key is empty.');
  appendText(out, key);
  out.uint32(metadataTypes[value.type]);
  switch (value.type) {
    case 'array':
      return appendArray(out, key, value);
    case 'string':
      return appendText(out, value.value);
    case 'bool':
      return appendBool(out, value.value);
    case 'uint64':
    case 'int64':
      return appendBigint(out, key, value.type, value.value);
    default:
      return appendNumber(out, key, value.type, value.value);
  }
}

function appendArray(out: ByteBuilder, key: string, array: MetadataArray): void {
  out.uint32(metadataTypes[array.items]);
  out.uint64(array.value.length);
  switch (array.items) {
    case 'array':
      for (const item of array.value) appendArray(out, key, item);
      break;
    case 'string':
      for (const item of array.value) appendText(out, item);
      break;
    case 'bool':
      for (const item of array.value) appendBool(out, item);
      break;
    case 'uint64':
    case 'int64':
      for (const item of array.value) appendBigint(out, key, array.items, item);
      break;
    default:
      for (const item of array.value) appendNumber(out, key, array.items, item);
  }
}

function appendBool(out: ByteBuilder, value: boolean): void {
  out.scalar(1, (view, at) => view.setUint8(at, value ? 1 : 0));
}

function appendNumber(out: ByteBuilder, key: string, type: NumberType, value: number): void {
  const { bytes, range, write } = numberCodecs[type];
  const fits = !range || (Number.isInteger(value) && value >= range[0] && value <= range[1]);
  if (!fits) throw doesNotFit(key, type, value);
  out.scalar(bytes, (view, at) => write(view, at, value));
}

function appendBigint(out: ByteBuilder, key: string, type: BigintType, value: bigint): void {
  const { bytes, fits, write } = bigintCodecs[type];
  if (!fits(value)) throw doesNotFit(key, type, value);
  out.scalar(bytes, (view, at) => write(view, at, value));
}

function doesNotFit(key: string, type: string, value: number | bigint): PithError {
  return new PithError(
    'unsupported',
    `GGUF key "${key}": ${value} does not fit in ${type}.`,
    'Check that number in the files of the model.',
  );
}
