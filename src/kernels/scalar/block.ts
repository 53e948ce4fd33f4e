import { blockTypes, type BlockType } from '../../tensor/block-types.ts';
import { f16ToF32 } from '../../util/half-float.ts';
import type { Decoder } from '../kernels.ts';

/** Reads the block that starts at `bytes[at]` into `values` from index `to` on. */
export type BlockReader = (bytes: Uint8Array, at: number, values: Float32Array, to: number) => void;

/** Applies a reader to every block of a row or of many rows. */
export function blockDecoder(type: BlockType, readBlock: BlockReader): Decoder {
  const { weights, bytes: size } = blockTypes[type];
  return (bytes, values) => {
    for (let at = 0, to = 0; at < bytes.length; at += size, to += weights)
      readBlock(bytes, at, values, to);
  };
}

/** The little-endian 16-bit word at `bytes[at]`. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** The little-endian 32-bit word at `bytes[at]`, as a signed number. */
export function wideWordAt(bytes: Uint8Array, at: number): number {
  return wordAt(bytes, at) | (wordAt(bytes, at + 2) << 16);
}

/** The binary16 number at `bytes[at]`. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return f16ToF32(wordAt(bytes, at));
}

/** Field `j` of four-bit fields from `bytes[at]` on, two a byte, the low one first. */
export function nibbleAt(bytes: Uint8Array, at: number, j: number): number {
  return (bytes[at + (j >> 1)]! >> (4 * (j & 1))) & 15;
}

/** The byte as a number in −128…127. */
export function signed(byte: number): number {
  return (byte << 24) >> 24;
}
