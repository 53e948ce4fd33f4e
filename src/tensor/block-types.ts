/**
 * How each GGUF storage type lays out weights: `id` is ggml's type number, a block of `weights`
 * consecutive weights of one row takes `bytes` bytes.
 *
 * @see ggml/include/ggml.h (enum ggml_type) and ggml/src/ggml-common.h, llama.cpp v0.5.0.
 */
export const blockTypes = {
  F32: { id: 0, weights: 1, bytes: 4 },
  F16: { id: 1, weights: 1, bytes: 2 },
  Q4_0: { id: 2, weights: 32, bytes: 18 },
  Q4_1: { id: 3, weights: 32, bytes: 20 },
  Q5_0: { id: 6, weights: 32, bytes: 22 },
  Q5_1: { id: 7, weights: 32, bytes: 24 },
  Q8_0: { id: 8, weights: 32, bytes: 34 },
  Q8_1: { id: 9, weights: 32, bytes: 36 },
  Q2_K: { id: 10, weights: 256, bytes: 84 },
  Q3_K: { id: 11, weights: 256, bytes: 110 },
  Q4_K: { id: 12, weights: 256, bytes: 144 },
  Q5_K: { id: 13, weights: 256, bytes: 176 },
  Q6_K: { id: 14, weights: 256, bytes: 210 },
  Q8_K: { id: 15, weights: 256, bytes: 292 },
  IQ2_XXS: { id: 16, weights: 256, bytes: 66 },
  IQ2_XS: { id: 17, weights: 256, bytes: 74 },
  IQ3_XXS: { id: 18, weights: 256, bytes: 98 },
  IQ1_S: { id: 19, weights: 256, bytes: 50 },
  IQ4_NL: { id: 20, weights: 32, bytes: 18 },
  IQ3_S: { id: 21, weights: 256, bytes: 110 },
  IQ2_S: { id: 22, weights: 256, bytes: 82 },
  IQ4_XS: { id: 23, weights: 256, bytes: 136 },
  I8: { id: 24, weights: 1, bytes: 1 },
  I16: { id: 25, weights: 1, bytes: 2 },
  I32: { id: 26, weights: 1, bytes: 4 },
  I64: { id: 27, weights: 1, bytes: 8 },
  F64: { id: 28, weights: 1, bytes: 8 },
  IQ1_M: { id: 29, weights: 256, bytes: 56 },
  BF16: { id: 30, weights: 1, bytes: 2 },
  TQ1_0: { id: 34, weights: 256, bytes: 54 },
  TQ2_0: { id: 35, weights: 256, bytes: 66 },
  MXFP4: { id: 39, weights: 32, bytes: 17 },
  NVFP4: { id: 40, weights: 64, bytes: 36 },
  Q1_0: { id: 41, weights: 128, bytes: 18 },
  Q2_0: { id: 42, weights: 64, bytes: 18 },
} as const satisfies Record<string, { id: number; weights: number; bytes: number }>;

/** ggml's version of these layouts (GGML_QNT_VERSION). */
export const quantizationVersion = 2;

/** A GGUF storage type, by ggml's name. */
export type BlockType = keyof typeof blockTypes;

/** Every block type, in the order of ggml's ids. */
export const blockTypeNames = Object.keys(blockTypes) as readonly BlockType[];

const byId = new Map<number, BlockType>(blockTypeNames.map((name) => [blockTypes[name].id, name]));

/** The block type with ggml's type number `id`, or undefined when ggml has none. */
export function blockTypeOfId(id: number): BlockType | undefined {
  return byId.get(id);
}

/** Bytes of one row of `columns` weights; undefined when blocks do not divide the row. */
export function rowBytes(type: BlockType, columns: number): number | undefined {
  const { weights, bytes } = blockTypes[type];
  return columns % weights === 0 ? (columns / weights) * bytes : undefined;
}

/** Storage cost of a block type, its scales included. */
export function bitsPerWeight(type: BlockType): number {
  return (blockTypes[type].bytes * 8) / blockTypes[type].weights;
}
