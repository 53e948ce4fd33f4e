import { blockDecoder, halfAt, signed, wideWordAt } from './block.ts';

const { fround } = Math;

// Formulas: @see ggml/src/ggml-quants.c (dequantize_row_*), llama.cpp v0.5.0; every decoder here
// equals it bit for bit on test/golden/gguf-blocks.json.

/** Q1_0, 128 weights: the sign bit of weight j is bit j mod 8 of byte j / 8; set means +d. */
export const decodeQ1_0 = blockDecoder('Q1_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 128; j++)
    values[to + j] = (bytes[at + 2 + (j >> 3)]! >> (j & 7)) & 1 ? d : -d;
});

/** Q2_0, 64 weights: d · (q − 1), four codes a byte in order. */
export const decodeQ2_0 = blockDecoder('Q2_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 64; j++)
    values[to + j] = d * (((bytes[at + 2 + (j >> 2)]! >> (2 * (j & 3))) & 3) - 1);
});

/** Q4_0, 32 weights: d · (q − 8); byte j holds weight j (low nibble) and j + 16. */
export const decodeQ4_0 = blockDecoder('Q4_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 2 + j]!;
    values[to + j] = d * ((byte & 15) - 8);
    values[to + j + 16] = d * ((byte >> 4) - 8);
  }
});

/** Q4_1, 32 weights: d · q + m. */
export const decodeQ4_1 = blockDecoder('Q4_1', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  const m = halfAt(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 4 + j]!;
    values[to + j] = fround(d * (byte & 15)) + m;
    values[to + j + 16] = fround(d * (byte >> 4)) + m;
  }
});

/** Q5_0, 32 weights: d · (q − 16); bit j of a 32-bit word is the fifth bit of weight j. */
export const decodeQ5_0 = blockDecoder('Q5_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  const high = wideWordAt(bytes, at + 2);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 6 + j]!;
    values[to + j] = d * (((byte & 15) | (((high >> j) & 1) << 4)) - 16);
    values[to + j + 16] = d * (((byte >> 4) | (((high >> (j + 16)) & 1) << 4)) - 16);
  }
});

/** Q5_1, 32 weights: d · q + m, fifth bits as in Q5_0. */
export const decodeQ5_1 = blockDecoder('Q5_1', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  const m = halfAt(bytes, at + 2);
  const high = wideWordAt(bytes, at + 4);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 8 + j]!;
    values[to + j] = fround(d * ((byte & 15) | (((high >> j) & 1) << 4))) + m;
    values[to + j + 16] = fround(d * ((byte >> 4) | (((high >> (j + 16)) & 1) << 4))) + m;
  }
});

/** Q8_0, 32 weights: d · q, q a signed byte. */
export const decodeQ8_0 = blockDecoder('Q8_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 32; j++) values[to + j] = d * signed(bytes[at + 2 + j]!);
});

/** Q8_1, 32 weights: Q8_0 with the sum of the block after the scale. An activation format. */
export const decodeQ8_1 = blockDecoder('Q8_1', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 32; j++) values[to + j] = d * signed(bytes[at + 4 + j]!);
});
