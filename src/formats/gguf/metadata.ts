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

/** A typed metadata value; 64-bit integers are bigint, arrays state their element type. */
export type MetadataValue =
  | {
      readonly type: Exclude<MetadataType, 'uint64' | 'int64' | 'bool' | 'string' | 'array'>;
      readonly value: number;
    }
  | { readonly type: 'uint64' | 'int64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | MetadataArray;

/**
 * A metadata array: `value` holds plain elements of type `items` (numbers, bigints, booleans or
 * strings), or whole arrays when `items` is `array`.
 */
export interface MetadataArray {
  readonly type: 'array';
  readonly items: MetadataType;
  readonly value: readonly (number | bigint | boolean | string | MetadataArray)[];
}

/** GGUF keys in file order. */
export type Metadata = ReadonlyMap<string, MetadataValue>;

/** Short constructors, so that tables of keys read well: `meta.uint32(8)`. */
export const meta = {
  uint32: (value: number): MetadataValue => ({ type: 'uint32', value }),
  int32: (value: number): MetadataValue => ({ type: 'int32', value }),
  float32: (value: number): MetadataValue => ({ type: 'float32', value }),
  bool: (value: boolean): MetadataValue => ({ type: 'bool', value }),
  string: (value: string): MetadataValue => ({ type: 'string', value }),
  strings: (value: readonly string[]): MetadataValue => ({ type: 'array', items: 'string', value }),
  int32s: (value: readonly number[]): MetadataValue => ({ type: 'array', items: 'int32', value }),
  float32s: (value: readonly number[]): MetadataValue => ({
    type: 'array',
    items: 'float32',
    value,
  }),
};
