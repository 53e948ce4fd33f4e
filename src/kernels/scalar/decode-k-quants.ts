import { blockDecoder, halfAt, signed, wideWordAt } from './block.ts';

const { fround } = Math;

// Super-blocks of 256 weights. Formulas: @see ggml/src/ggml-quants.c (dequantize_row_*_K),
// llama.cpp v0.5.0; every decoder here equals it bit for bit on test/golden/gguf-blocks.json.

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** The eight 6-bit scales (`shift` 0) or mins (`shift` 4) of Q4_K and Q5_K, packed in 12 bytes. */
export function sixBitField(bytes: Uint8Array, at: number, j: number, shift: 0 | 4): number {
  const own = at + j + shift;
  if (j < 4) return bytes[own]! & 63;
  return ((bytes[at + j + 4]! >> shift) & 15) | ((bytes[own - 4]! >> 6) << 4);
}

/** Q2_K: d · scale · q − dmin · min, 4-bit scale and min for each 16 weights. */
export const decodeQ2_K = blockDecoder('Q2_K', (bytes, at, values, to) => {
  const d = halfAt(bytes, at + 80);
  const dmin = halfAt(bytes, at + 82);
  for (let i = 0; i < 256; i++) {
    const packed = bytes[at + (i >> 4)]!;
    const byte = bytes[at + 16 + ((i >> 7) << 5) + (i & 31)]!;
    const q = (byte >> (2 * ((i >> 5) & 3))) & 3;
    values[to + i] = fround(fround(d * (packed & 15)) * q) - fround(dmin * (packed >> 4));
  }
});

/** The 6-bit scale of 16 weights of Q3_K, less 32: −32 … 31. */
export function q3Scale(bytes: Uint8Array, at: number, j: number): number {
  const low = (bytes[at + 96 + (j & 7)]! >> (4 * (j >> 3))) & 15;
  const high = (bytes[at + 104 + (j & 3)]! >> (2 * (j >> 2))) & 3;
  return (low | (high << 4)) - 32;
}

/** Q3_K: d · (scale − 32) · (q − 4), 6-bit scale for each 16 weights. */
export const decodeQ3_K = blockDecoder('Q3_K', (bytes, at, values, to) => {
  const d = halfAt(bytes, at + 108);
  for (let i = 0; i < 256; i++) {
    const high = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
    const byte = bytes[at + 32 + ((i >> 7) << 5) + (i & 31)]!;
    const q = ((byte >> (2 * ((i >> 5) & 3))) & 3) | (high << 2);
    values[to + i] = fround(d * q3Scale(bytes, at, i >> 4)) * (q - 4);
  }
});

/** Q4_K: d · scale · q − dmin · min, 6-bit scale and min for each 32 weights. */
export const decodeQ4_K = blockDecoder('Q4_K', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  const dmin = halfAt(bytes, at + 2);
  for (let j = 0; j < 8; j++) {
    const scale = fround(d * sixBitField(bytes, at + 4, j, 0));
    const min = fround(dmin * sixBitField(bytes, at + 4, j, 4));
    const codes = at + 16 + 32 * (j >> 1);
    for (let l = 0; l < 32; l++) {
      const q = (bytes[codes + l]! >> (4 * (j & 1))) & 15;
      values[to + 32 * j + l] = fround(scale * q) - min;
    }
  }
});

/** Q5_K: Q4_K with a fifth bit; bit j of `qh[l]` belongs to weight 32 j + l. */
export const decodeQ5_K = blockDecoder('Q5_K', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  const dmin = halfAt(bytes, at + 2);
  for (let j = 0; j < 8; j++) {
    const scale = fround(d * sixBitField(bytes, at + 4, j, 0));
    const min = fround(dmin * sixBitField(bytes, at + 4, j, 4));
    const codes = at + 48 + 32 * (j >> 1);
    for (let l = 0; l < 32; l++) {
      const high = (bytes[at + 16 + l]! >> j) & 1;
      const q = ((bytes[codes + l]! >> (4 * (j & 1))) & 15) | (high << 4);
      values[to + 32 * j + l] = fround(scale * q) - min;
    }
  }
});

/** Q6_K: d · scale · (q − 32), signed 8-bit scale for each 16 weights. */
export const decodeQ6_K = blockDecoder('Q6_K', (bytes, at, values, to) => {
  const d = halfAt(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const half = i >> 7;
    const quarter = (i >> 5) & 3;
    const low = bytes[at + 64 * half + 32 * (quarter & 1) + (i & 31)]! >> (4 * (quarter >> 1));
    const high = bytes[at + 128 + 32 * half + (i & 31)]! >> (2 * quarter);
    const scale = signed(bytes[at + 192 + (i >> 4)]!);
    values[to + i] = fround(d * scale) * (((low & 15) | ((high & 3) << 4)) - 32);
  }
});

/** Q8_K: d · q with d in f32. An activation format; the sums at its end are not read. */
export const decodeQ8_K = blockDecoder('Q8_K', (bytes, at, values, to) => {
  floatBits[0] = wideWordAt(bytes, at);
  const d = float[0]!;
  for (let i = 0; i < 256; i++) values[to + i] = d * signed(bytes[at + 4 + i]!);
});
