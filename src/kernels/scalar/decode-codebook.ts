import { blockDecoder, halfAt, nibbleAt, wideWordAt, wordAt } from './block.ts';
import { codebook } from './codebooks.ts';

const { fround } = Math;

// Super-blocks of 256 weights whose groups of 8 (IQ2, IQ1) or 4 (IQ3) name an entry of a codebook.
// @see ggml/src/ggml-quants.c (dequantize_row_iq*), llama.cpp v0.5.0; equal bit for bit on
// test/golden/gguf-blocks.json.

const iq2xxs = codebook('iq2xxs');
const iq2xs = codebook('iq2xs');
const iq2s = codebook('iq2s');
const iq3xxs = codebook('iq3xxs');
const iq3s = codebook('iq3s');

/** Seven stored signs, the eighth makes their number even; a set bit j means weight j < 0. */
function evenSigns(index: number): number {
  let parity = index;
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return index | ((parity & 1) << 7);
}

/** What one group of weights is made of: entry `index` of `grid`, times `scale`, with signs. */
interface Group {
  readonly grid: Int8Array;
  readonly index: number;
  readonly scale: number;
  readonly signs: number;
}

function writeGroup(values: Float32Array, to: number, group: Group, width: 4 | 8): void {
  const { grid, index, scale, signs } = group;
  for (let j = 0; j < width; j++) {
    const magnitude = scale * grid[index * width + j]!;
    values[to + j] = (signs >> j) & 1 ? -magnitude : magnitude;
  }
}

/** The scale of IQ2: d · (½ + s) / 4. */
export const iq2Scale = (d: number, s: number): number => fround(d * (0.5 + s)) * 0.25;

/** The scale of IQ3_XXS: d · (½ + s) / 2. */
export const iq3xxsScale = (d: number, s: number): number => fround(d * (0.5 + s)) * 0.5;

/** The scale of IQ3_S: d · (1 + 2 s). */
export const iq3sScale = (d: number, s: number): number => fround(d * (1 + 2 * s));

/** IQ2_XXS: per 32 weights four 8-bit entries, four 7-bit sign sets and a 4-bit scale. */
export const decodeIQ2_XXS = blockDecoder('IQ2_XXS', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let block = 0; block < 8; block++) {
    const entries = at + 2 + 8 * block;
    const word = wideWordAt(bytes, entries + 4);
    const scale = iq2Scale(d, word >>> 28);
    for (let l = 0; l < 4; l++) {
      const signs = evenSigns((word >> (7 * l)) & 127);
      const group = { grid: iq2xxs, index: bytes[entries + l]!, scale, signs };
      writeGroup(values, to + 32 * block + 8 * l, group, 8);
    }
  }
});

/** IQ2_XS: per 8 weights a 9-bit entry and 7 signs; a 4-bit scale for each 16 weights. */
export const decodeIQ2_XS = blockDecoder('IQ2_XS', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let g = 0; g < 32; g++) {
    const word = wordAt(bytes, at + 2 + 2 * g);
    const scale = iq2Scale(d, nibbleAt(bytes, at + 66, g >> 1));
    const group = { grid: iq2xs, index: word & 511, scale, signs: evenSigns(word >> 9) };
    writeGroup(values, to + 8 * g, group, 8);
  }
});

/** IQ2_S: per 8 weights a 10-bit entry and 8 signs; a 4-bit scale for each 16 weights. */
export const decodeIQ2_S = blockDecoder('IQ2_S', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let g = 0; g < 32; g++) {
    const high = (bytes[at + 66 + (g >> 2)]! >> (2 * (g & 3))) & 3;
    const index = bytes[at + 2 + g]! | (high << 8);
    const scale = iq2Scale(d, nibbleAt(bytes, at + 74, g >> 1));
    writeGroup(values, to + 8 * g, { grid: iq2s, index, scale, signs: bytes[at + 34 + g]! }, 8);
  }
});

/** IQ3_XXS: per 4 weights an 8-bit entry; per 32 weights four 7-bit sign sets, 4-bit scale. */
export const decodeIQ3_XXS = blockDecoder('IQ3_XXS', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let g = 0; g < 64; g++) {
    const word = wideWordAt(bytes, at + 66 + 4 * (g >> 3));
    const scale = iq3xxsScale(d, word >>> 28);
    const signs = evenSigns((word >> (7 * ((g >> 1) & 3))) & 127) >> (4 * (g & 1));
    writeGroup(values, to + 4 * g, { grid: iq3xxs, index: bytes[at + 2 + g]!, scale, signs }, 4);
  }
});

/** IQ3_S: per 4 weights a 9-bit entry, per 8 weights 8 signs; 4-bit scale for each 32 weights. */
export const decodeIQ3_S = blockDecoder('IQ3_S', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let g = 0; g < 64; g++) {
    const high = (bytes[at + 66 + (g >> 3)]! >> (g & 7)) & 1;
    const index = bytes[at + 2 + g]! | (high << 8);
    const scale = iq3sScale(d, nibbleAt(bytes, at + 106, g >> 3));
    const signs = bytes[at + 74 + (g >> 1)]! >> (4 * (g & 1));
    writeGroup(values, to + 4 * g, { grid: iq3s, index, scale, signs }, 4);
  }
});
