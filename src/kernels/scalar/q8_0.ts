import { f16ToF32 } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeQ8_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, peakOf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';

const { fround } = Math;

/** Smallest normal binary16 number: below it, rounding moves a scale by more than 2⁻¹². */
const smallestNormalHalf = 2 ** -14;

function roundHalfAway(x: number): number {
  return Math.trunc(fround(x + Math.sign(x) * fround(0.5 - 2 ** -25)));
}

/**
 * Q8_0: d = peak / 127, codes rounded half away from zero: byte for byte what ggml writes while d is
 * a normal binary16 number. Below, where ggml's codes still divide by the unrounded d and can be
 * several steps off, the rounded d is used; beyond, d stays finite.
 *
 * Importance is not used, as in ggml: with 8 bits there is next to nothing to trade.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_q8_0_ref), llama.cpp v0.5.0.
 */
export const encodeQ8_0: Encoder = blockEncoder(
  'Q8_0',
  (values, _weights, out, at) => {
    const peak = peakOf(values);
    const exact = peak < smallestPeak ? 0 : fround(peak / 127);
    const half = scaleToHalf(exact);
    const isNormal = exact >= smallestNormalHalf && exact <= maxHalf;
    const d = isNormal ? exact : f16ToF32(half);
    const inverse = d === 0 ? 0 : fround(1 / d);
    putWord(out, at, half);
    values.forEach((x, j) => {
      const scaled = Math.min(Math.max(fround(x * inverse), -127), 127);
      out[at + 2 + j] = roundHalfAway(scaled);
    });
  },
  decodeQ8_0,
);
