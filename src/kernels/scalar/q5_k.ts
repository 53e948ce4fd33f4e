import type { Encoder } from '../kernels.ts';
import { asymmetricEncoder } from './asymmetric-encode.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { packBits, packNibbles } from './pack.ts';
import { packHeader } from './q4_k.ts';

const type: AsymmetricType = {
  subLength: 32,
  maxCode: 31,
  maxScale: 63,
  variances: 2,
  rmsShare: 1,
  starts: [
    [27.6, -0.3],
    [27.6, 0.25],
    [28.5, 0.35],
    [29, 0.1],
    [29.25, -0.05],
    [29.9, -0.15],
    [30.05, 0.1],
    [31, 0],
    [31.05, -0.25],
    [31.25, 0.4],
    [32.05, 0.1],
  ],
  tops: [63, 62, 61, 60, 59, 58, 57, 56],
};

/**
 * Quantizes rows to Q5_K: as Q4_K, with 32 bytes that hold the fifth bits, one plane a sub-block.
 *
 * @see block_q5_K, ggml-common.h, llama.cpp v0.5.0; fitting: `fitSubBlock`, `fitSteps`.
 * @remarks Least weighted error against ggml's on the same weights: test/golden/ggml-asymmetric.json
 */
export const encodeQ5K: Encoder = asymmetricEncoder(type, 176, (out, scales, codes) => {
  packHeader(out, scales);
  packBits(codes, out, 16, 4);
  packNibbles(codes, out, 48, 32);
});
