import { blockDecoder, halfAt, nibbleAt, wordAt } from './block.ts';

const { fround } = Math;

// Formats whose codes look up a value in a table of 16. @see ggml/src/ggml-quants.c and
// ggml-common.h (kvalues_iq4nl, kvalues_fp4), llama.cpp v0.5.0; equal bit for bit on
// test/golden/gguf-blocks.json.

/** The 16 levels of IQ4_NL and IQ4_XS. */
const iq4Levels = [
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
] as const;

/** Twice the 16 values of FP4 (E2M1): the codes of MXFP4 and NVFP4. */
export const fp4Levels = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** IQ4_NL, 32 weights: d · level. */
export const decodeIQ4_NL = blockDecoder('IQ4_NL', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 2 + j]!;
    values[to + j] = d * iq4Levels[byte & 15]!;
    values[to + j + 16] = d * iq4Levels[byte >> 4]!;
  }
});

/** The 6-bit scale of 32 weights of IQ4_XS, less 32: −32 … 31. */
export function iq4Scale(bytes: Uint8Array, at: number, j: number): number {
  const high = (wordAt(bytes, at + 2) >> (2 * j)) & 3;
  return (nibbleAt(bytes, at + 4, j) | (high << 4)) - 32;
}

/** IQ4_XS, 256 weights: d · (scale − 32) · level, 6-bit scale for each 32 weights. */
export const decodeIQ4_XS = blockDecoder('IQ4_XS', (bytes, at, values, to) => {
  const d = halfAt(bytes, at);
  for (let block = 0; block < 8; block++) {
    const scale = fround(d * iq4Scale(bytes, at, block));
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 8 + 16 * block + j]!;
      values[to + 32 * block + j] = scale * iq4Levels[byte & 15]!;
      values[to + 32 * block + j + 16] = scale * iq4Levels[byte >> 4]!;
    }
  }
});

/** MXFP4, 32 weights: 2^(e − 128) · level; e = 255 is not special (ggml reads 2^127). */
export const decodeMXFP4 = blockDecoder('MXFP4', (bytes, at, values, to) => {
  const d = 2 ** (bytes[at]! - 128);
  for (let j = 0; j < 16; j++) {
    const byte = bytes[at + 1 + j]!;
    values[to + j] = d * fp4Levels[byte & 15]!;
    values[to + j + 16] = d * fp4Levels[byte >> 4]!;
  }
});

/** Half of an unsigned E4M3 scale; bit 7 is ignored, 0x7f reads as 0 (as ggml does). */
function halfE4m3(byte: number): number {
  if (byte === 127) return 0;
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  return exponent === 0 ? mantissa * 2 ** -10 : (1 + mantissa / 8) * 2 ** (exponent - 8);
}

/** NVFP4, 64 weights: ½ · scale · level, an E4M3 scale for each 16 weights. */
export const decodeNVFP4 = blockDecoder('NVFP4', (bytes, at, values, to) => {
  for (let group = 0; group < 4; group++) {
    const scale = halfE4m3(bytes[at + group]!);
    for (let j = 0; j < 8; j++) {
      const byte = bytes[at + 4 + 8 * group + j]!;
      values[to + 16 * group + j] = scale * fp4Levels[byte & 15]!;
      values[to + 16 * group + j + 8] = scale * fp4Levels[byte >> 4]!;
    }
  }
});
