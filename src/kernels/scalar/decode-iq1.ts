import { f16ToF32 } from '../../util/half-float.ts';
import { blockDecoder, halfAt, wordAt } from './block.ts';
import { codebook } from './codebooks.ts';

const { fround } = Math;

// @see ggml/src/ggml-quants.c (dequantize_row_iq1_*), llama.cpp v0.5.0; equal bit for bit on
// test/golden/gguf-blocks.json.

/** 2048 entries of 8 values in −1, 0, 1. */
const grid = codebook('iq1');

/** Every weight of a group is moved by this much, up or down. */
const shift = 0.125;

function writeGroup(values: Float32Array, to: number, index: number, [scale, delta]: number[]) {
  for (let j = 0; j < 8; j++) values[to + j] = scale! * (grid[8 * index + j]! + delta!);
}

/** IQ1_S: scale · (entry ± ⅛); per 8 weights an 11-bit entry, per 32 a 3-bit scale and the sign. */
export const decodeIQ1_S = blockDecoder('IQ1_S', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let g = 0; g < 32; g++) {
    const word = wordAt(bytes, at + 34 + 2 * (g >> 2));
    const index = bytes[at + 2 + g]! | (((word >> (3 * (g & 3))) & 7) << 8);
    const scale = fround(d * (2 * ((word >> 12) & 7) + 1));
    writeGroup(values, to + 8 * g, index, [scale, word & 0x8000 ? -shift : shift]);
  }
});

/**
 * IQ1_M: as IQ1_S with a sign for each 8 weights and a 3-bit scale for each 16; the super-block
 * scale is spread over the top nibbles of the four scale words.
 */
export const decodeIQ1_M = blockDecoder('IQ1_M', (bytes, at, values, to) => {
  const scales = [0, 2, 4, 6].map((offset) => wordAt(bytes, at + 48 + offset));
  const d = f16ToF32(scales.reduce((half, word, i) => half | ((word >> 12) << (4 * i)), 0));
  for (let g = 0; g < 32; g++) {
    const high = bytes[at + 32 + (g >> 1)]! >> (4 * (g & 1));
    const index = bytes[at + g]! | ((high & 7) << 8);
    const s = (scales[g >> 3]! >> (3 * ((g >> 1) & 3))) & 7;
    writeGroup(values, to + 8 * g, index, [fround(d * (2 * s + 1)), high & 8 ? -shift : shift]);
  }
});
