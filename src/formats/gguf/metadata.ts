/**
 * GGUF metadata value types and ggml's numbers for them.
 *
 * @see docs/gguf.md of ggml, section "File structure" (enum gguf_metadata_value_type).
 */
export const metadataTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

/** Name of a GGUF metadata value type. */
export type MetadataType = keyof typeof metadataTypes;

/** Metadata types whose values are JavaScript numbers. */
export type NumberType = Exclude<MetadataType, 'uint64' | 'int64' | 'bool' | 'string' | 'array'>;

/** Metadata types whose values are bigints. */
export type BigintType = 'uint64' | 'int64';

/** An array or a typed array: indexable, iterable, with a length. Readers return typed arrays. */
export type ListOf<T> = ArrayLike<T> & Iterable<T>;

/** A typed metadata value; 64-bit integers are bigint, arrays state their element type. */
export type MetadataValue =
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: BigintType; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | MetadataArray;

/**
 * A metadata array: `value` holds plain elements of type `items`, or whole arrays when `items` is
 * `array` (gguf-py writes those, llama.cpp v0.5.0 does not read them).
 */
export type MetadataArray =
  | { readonly type: 'array'; readonly items: NumberType; readonly value: ListOf<number> }
  | { readonly type: 'array'; readonly items: BigintType; readonly value: ListOf<bigint> }
  | { readonly type: 'array'; readonly items: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly items: 'string'; readonly value: readonly string[] }
  | { readonly type: 'array'; readonly items: 'array'; readonly value: readonly MetadataArray[] };

/**
 * GGUF keys in file order.
 *
 * Bytes of a string that are not UTF-8 appear as lone surrogates U+DC80 to U+DCFF, one a byte, and
 * are written back as those bytes (see `decodeText`).
 */
export type Metadata = ReadonlyMap<string, MetadataValue>;

/** Short constructors, so that tables of keys read well: `meta.uint32(8)`. */
export const meta = {
  uint16: (value: number): MetadataValue => ({ type: 'uint16', value }),
  uint32: (value: number): MetadataValue => ({ type: 'uint32', value }),
  int32: (value: number): MetadataValue => ({ type: 'int32', value }),
  float32: (value: number): MetadataValue => ({ type: 'float32', value }),
  bool: (value: boolean): MetadataValue => ({ type: 'bool', value }),
  string: (value: string): MetadataValue => ({ type: 'string', value }),
  strings: (value: readonly string[]): MetadataValue => ({ type: 'array', items: 'string', value }),
  int32s: (value: ListOf<number>): MetadataValue => ({ type: 'array', items: 'int32', value }),
  float32s: (value: ListOf<number>): MetadataValue => ({
    type: 'array',
    items: 'float32',
    value,
  }),
};
