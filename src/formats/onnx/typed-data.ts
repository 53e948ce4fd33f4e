import { BinaryReader } from '@bufbuild/protobuf/wire';
import { corrupt } from './errors.ts';
import { onnxElementTypes, type OnnxElementType } from './model.ts';
import type { Message } from './schema.ts';

/** The typed fields of a tensor. */
export type TypedData = Pick<Message<'Tensor'>, DataField>;

type DataField = 'floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data';

/** The typed field for elements of a type; all others, halves and 4-bit pairs too, use int32. */
const fieldOf: Partial<Record<OnnxElementType, DataField>> = {
  FLOAT: 'floatData',
  DOUBLE: 'doubleData',
  INT64: 'int64Data',
  UINT32: 'uint64Data',
  UINT64: 'uint64Data',
};

/** Fields that a tensor's elements may come in besides `rawData`. */
const dataFields = ['floatData', 'doubleData', 'int32Data', 'int64Data', 'uint64Data'] as const;

/** Names of the fields that a tensor brings data in. */
export function typedFields(tensor: TypedData): DataField[] {
  return dataFields.filter((field) => tensor[field] !== undefined);
}

/**
 * Little-endian elements out of a tensor's typed field.
 *
 * @param byteLength - What the tensor's shape takes.
 * @throws {@link PithError} `corrupt` when the field is not its type's, has more or fewer elements, or
 * one that its type cannot hold.
 */
export function typedData(
  what: string,
  tensor: TypedData,
  type: OnnxElementType,
  byteLength: number,
): Uint8Array {
  const field = fieldOf[type] ?? 'int32Data';
  const [found = field] = typedFields(tensor);
  if (found !== field) throw corrupt(what, `${type} data lie in ${found} instead of ${field}`);
  const chunks = tensor[field] ?? [];
  if (field === 'floatData' || field === 'doubleData') return joined(what, chunks, byteLength);
  return varints(what, chunks, type, byteLength);
}

/** Floats lie in the file as they do in memory. */
function joined(what: string, chunks: readonly Uint8Array[], byteLength: number): Uint8Array {
  const found = chunks.reduce((sum, { length }) => sum + length, 0);
  if (found !== byteLength) throw wrongCount(what, found, byteLength);
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function varints(
  what: string,
  chunks: readonly Uint8Array[],
  type: OnnxElementType,
  byteLength: number,
): Uint8Array {
  // Two 4-bit elements come as one number.
  const size = Math.max(1, onnxElementTypes[type].bits / 8);
  const most = chunks.reduce((sum, { length }) => sum + length, 0);
  if (most * size < byteLength) throw wrongCount(what, most * size, byteLength);
  const all = new Uint8Array(byteLength);
  const view = new DataView(all.buffer);
  const [low, high] = range(type, size);
  let at = 0;
  for (const value of numbers(what, chunks, type === 'UINT64')) {
    if (at >= byteLength) throw wrongCount(what, at + size, byteLength);
    if (value < low || value >= high) throw corrupt(what, `${value} is no ${type}`);
    setInteger(view, at, size, value);
    at += size;
  }
  if (at < byteLength) throw wrongCount(what, at, byteLength);
  return all;
}

function* numbers(
  what: string,
  chunks: readonly Uint8Array[],
  unsigned: boolean,
): Generator<bigint> {
  for (const chunk of chunks) {
    const reader = new BinaryReader(chunk);
    while (reader.pos < reader.len) {
      try {
        yield BigInt(unsigned ? reader.uint64() : reader.int64());
      } catch (error) {
        throw corrupt(what, 'its data end inside a number', error);
      }
    }
  }
}

/** Smallest value and the one past the largest. Bytes of 4-bit pairs, writers take for signed or not. */
function range(type: OnnxElementType, size: number): readonly [bigint, bigint] {
  const span = 2n ** BigInt(8 * size);
  if (type === 'BOOL') return [0n, 2n];
  if (type === 'UINT4' || type === 'INT4') return [-span / 2n, span];
  return type.startsWith('INT') ? [-span / 2n, span / 2n] : [0n, span];
}

function setInteger(view: DataView, at: number, size: number, value: bigint): void {
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else if (size === 4) view.setInt32(at, Number(BigInt.asIntN(32, value)), true);
  else if (size === 2) view.setInt16(at, Number(BigInt.asIntN(16, value)), true);
  else view.setInt8(at, Number(BigInt.asIntN(8, value)));
}

function wrongCount(what: string, found: number, expected: number): Error {
  return corrupt(what, `it has data of ${found} bytes, but its shape takes ${expected}`);
}
