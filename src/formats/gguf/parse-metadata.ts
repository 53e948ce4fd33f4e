import type { Cursor } from './cursor.ts';
import { limits } from './limits.ts';
import {
  metadataTypes,
  type BigintType,
  type MetadataArray,
  type MetadataType,
  type MetadataValue,
  type NumberType,
} from './metadata.ts';
import { bigintCodecs, numberCodecs } from './scalars.ts';
import { decodeText } from './text.ts';

const names = Object.keys(metadataTypes) as MetadataType[];
const typeOfId = new Map(names.map((name) => [metadataTypes[name] as number, name]));

/** Parses a string: 64-bit length, then UTF-8 (see `decodeText` for bytes that are not). */
export function parseText(cursor: Cursor): string {
  return decodeText(cursor.bytes(cursor.uint64('a string length'), 'a string'));
}

/** Parses one key with its value. */
export function parseEntry(cursor: Cursor): readonly [string, MetadataValue] {
  const key = parseText(cursor);
  if (key === '') throw cursor.corrupt('a metadata key is empty.');
  const type = parseType(cursor, key);
  return [key, parseValue(cursor, key, type)];
}

function parseType(cursor: Cursor, key: string): MetadataType {
  const id = cursor.uint32();
  const type = typeOfId.get(id);
  if (type !== undefined) return type;
  throw cursor.corrupt(`"${key}" has the unknown value type ${id}; GGUF defines 0 to 12.`);
}

function parseValue(cursor: Cursor, key: string, type: MetadataType): MetadataValue {
  if (type === 'array') return parseArray(cursor, key, 1);
  if (type === 'string') return { type, value: parseText(cursor) };
  if (type === 'bool') return { type, value: parseBool(cursor, key) };
  if (isBigint(type)) {
    const codec = bigintCodecs[type];
    return { type, value: cursor.scalar(codec.bytes, codec.read) };
  }
  const codec = numberCodecs[type];
  return { type, value: cursor.scalar(codec.bytes, codec.read) };
}

function parseBool(cursor: Cursor, key: string): boolean {
  const byte = cursor.scalar(1, (view, at) => view.getUint8(at));
  if (byte > 1)
    throw cursor.corrupt(`"${key}" holds the boolean ${byte}, which is neither 0 nor 1.`);
  return byte === 1;
}

function parseArray(cursor: Cursor, key: string, depth: number): MetadataArray {
  if (depth > limits.arrayDepth) {
    throw cursor.corrupt(`"${key}" nests arrays deeper than ${limits.arrayDepth}.`);
  }
  const items = parseType(cursor, key);
  const count = cursor.uint64('an array length');
  if (items === 'array') return { type: 'array', items, value: many(cursor, count, 12, nested) };
  if (items === 'string') return { type: 'array', items, value: many(cursor, count, 8, parseText) };
  if (items === 'bool') return { type: 'array', items, value: many(cursor, count, 1, bool) };
  const what = `an array of ${count} ${items}`;
  if (isBigint(items)) {
    const { bytes, list } = bigintCodecs[items];
    return { type: 'array', items, value: list(cursor.bytes(count * bytes, what)) };
  }
  const { bytes, list } = numberCodecs[items];
  return { type: 'array', items, value: list(cursor.bytes(count * bytes, what)) };

  function nested(): MetadataArray {
    return parseArray(cursor, key, depth + 1);
  }
  function bool(): boolean {
    return parseBool(cursor, key);
  }
}

function many<T>(
  cursor: Cursor,
  count: number,
  bytesEach: number,
  parse: (cursor: Cursor) => T,
): T[] {
  cursor.expectItems(count, bytesEach);
  const values: T[] = [];
  for (let i = 0; i < count; i++) values.push(parse(cursor));
  return values;
}

function isBigint(type: NumberType | BigintType): type is BigintType {
  return type === 'uint64' || type === 'int64';
}
