import type { Encoder } from '../kernels.ts';
import { asymmetricEncoder } from './asymmetric-encode.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { packBitPairs } from './pack.ts';

const type: AsymmetricType = {
  subLength: 16,
  maxCode: 3,
  maxScale: 15,
  variances: 1,
  rmsShare: 0,
  starts: [
    [2.35, 0],
    [2.4, -0.2],
    [3.35, 0.15],
    [3.35, 0.35],
    [3.55, 0.05],
    [3.8, -0.05],
    [4.15, 1],
    [4.6, 0.75],
  ],
  tops: [14, 14.5, 15, 15.5, 16],
};

/**
 * Quantizes rows to Q2_K: sixteen bytes of sub-scales, 64 bytes of codes, f16 d and dmin last.
 *
 * @see block_q2_K, ggml-common.h, llama.cpp v0.5.0; fitting: `fitSubBlock`, `fitSteps`.
 * @remarks Least weighted error against ggml's on the same weights: test/golden/ggml-asymmetric.json
 */
export const encodeQ2K: Encoder = asymmetricEncoder(type, 84, (out, scales, codes) => {
  const { stepHalf, minStepHalf, scaleCodes, minCodes } = scales;
  for (let j = 0; j < 16; j++) out[j] = scaleCodes[j]! | (minCodes[j]! << 4);
  packBitPairs(codes, out, 16, 0);
  out.set([stepHalf & 255, stepHalf >> 8, minStepHalf & 255, minStepHalf >> 8], 80);
});
