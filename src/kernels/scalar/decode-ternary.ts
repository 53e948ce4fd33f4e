import { blockDecoder, halfAt } from './block.ts';

// Super-blocks of 256 weights in {−d, 0, d}. @see ggml/src/ggml-quants.c (dequantize_row_tq*),
// llama.cpp v0.5.0; equal bit for bit on test/golden/gguf-blocks.json.

/** Where TQ1_0 keeps its weights: `stride` bytes from `at` hold `trits` weights each. */
export const tq1Sections = [
  { at: 0, stride: 32, trits: 5, first: 0 },
  { at: 32, stride: 16, trits: 5, first: 160 },
  { at: 48, stride: 4, trits: 4, first: 240 },
] as const;

const powersOf3 = [1, 3, 9, 27, 81] as const;

/**
 * TQ1_0: d · (q − 1), five base-3 digits a byte. A byte holds ⌈Q · 256 / 243⌉, so that digit n is
 * the integer part of 3 · frac(byte · 3ⁿ / 256).
 */
export const decodeTQ1_0 = blockDecoder('TQ1_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at + 52);
  for (const section of tq1Sections) {
    for (let n = 0; n < section.trits; n++) {
      for (let m = 0; m < section.stride; m++) {
        const fraction = (bytes[at + section.at + m]! * powersOf3[n]!) & 255;
        values[to + section.first + section.stride * n + m] = d * (((fraction * 3) >> 8) - 1);
      }
    }
  }
});

/** TQ2_0: d · (q − 1), two bits a weight; q = 3 reads as 2 d, though no encoder writes it. */
export const decodeTQ2_0 = blockDecoder('TQ2_0', (bytes, at, values, to) => {
  const d = halfAt(bytes, at + 64);
  for (let i = 0; i < 256; i++) {
    const byte = bytes[at + 32 * (i >> 7) + (i & 31)]!;
    values[to + i] = d * (((byte >> (2 * ((i >> 5) & 3))) & 3) - 1);
  }
});
