import type { Encoder } from '../kernels.ts';
import { asymmetricEncoder } from './asymmetric-encode.ts';
import type { StoredScales } from './asymmetric-steps.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { packNibbles } from './pack.ts';

const type: AsymmetricType = {
  subLength: 32,
  maxCode: 15,
  maxScale: 63,
  variances: 2,
  rmsShare: 1,
  starts: [
    [13.05, -0.05],
    [14.05, 0.1],
    [14.15, -0.05],
    [14.5, -0.25],
    [15, 0.2],
    [15.2, -0.1],
    [15.3, 0.15],
    [15.7, 0.7],
    [15.9, 0.1],
    [16, 0.55],
  ],
  tops: [63, 62, 61, 60, 59, 58, 57],
};

/**
 * Quantizes rows to Q4_K: f16 d and dmin, twelve bytes of sub-scales, 128 bytes of nibbles.
 *
 * @see block_q4_K, ggml-common.h, llama.cpp v0.5.0; fitting: `fitSubBlock`, `fitSteps`.
 * @remarks Least weighted error against ggml's on the same weights: test/golden/ggml-asymmetric.json
 */
export const encodeQ4K: Encoder = asymmetricEncoder(type, 144, (out, scales, codes) => {
  packHeader(out, scales);
  packNibbles(codes, out, 16, 32);
});

/** Writes d, dmin and the eight 6-bit scale codes and min codes: the first 16 bytes. */
export function packHeader(out: Uint8Array, scales: StoredScales): void {
  const { stepHalf, minStepHalf, scaleCodes, minCodes } = scales;
  out.set([stepHalf & 255, stepHalf >> 8, minStepHalf & 255, minStepHalf >> 8]);
  for (let j = 0; j < 4; j++) {
    const scale = scaleCodes[j + 4]!;
    const min = minCodes[j + 4]!;
    out[4 + j] = scaleCodes[j]! | ((scale >> 4) << 6);
    out[8 + j] = minCodes[j]! | ((min >> 4) << 6);
    out[12 + j] = (scale & 15) | ((min & 15) << 4);
  }
}
