import { blockTypes, type BlockType } from './block-types.ts';

/**
 * Element types of safetensors files and their bytes, by safetensors' names.
 *
 * @see https://github.com/huggingface/safetensors (tensor.rs, enum Dtype). Sub-byte F4/F6 types are
 * left out: their packing is not settled there.
 */
export const dtypes = {
  BOOL: { bytes: 1 },
  U8: { bytes: 1 },
  I8: { bytes: 1 },
  F8_E4M3: { bytes: 1 },
  F8_E5M2: { bytes: 1 },
  F8_E8M0: { bytes: 1 },
  U16: { bytes: 2 },
  I16: { bytes: 2 },
  F16: { bytes: 2 },
  BF16: { bytes: 2 },
  U32: { bytes: 4 },
  I32: { bytes: 4 },
  F32: { bytes: 4 },
  U64: { bytes: 8 },
  I64: { bytes: 8 },
  F64: { bytes: 8 },
} as const satisfies Record<string, { bytes: number }>;

/** An element type of a safetensors file. */
export type Dtype = keyof typeof dtypes;

/** How a tensor's bytes are stored: a safetensors dtype or a GGUF block type. */
export type TensorType = Dtype | BlockType;

/** Weights and bytes of the smallest unit of a tensor type (one element, or one block). */
export function unitOf(type: TensorType): { readonly weights: number; readonly bytes: number } {
  return type in blockTypes
    ? blockTypes[type as BlockType]
    : { weights: 1, bytes: dtypes[type as Dtype].bytes };
}
