import type { Encoder } from '../kernels.ts';
import { decodeQ1_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, peakOf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';
import { laneSum } from './lanes.ts';

const { fround } = Math;

/** The mean magnitude: of all scales the one of least error. */
function meanMagnitude(values: Float32Array): number {
  const sum = laneSum(values.length, (i) => Math.abs(values[i]!));
  return Math.min(fround(sum / values.length), maxHalf);
}

/**
 * Q1_0: the sign of each of 128 weights, times their mean magnitude, as ggml, whose sums are in another order.
 *
 * Importance is not used, as in ggml: there are no codes to choose, and the scale that suits large weights better
 * (v √(σ² + x²)) leaves a larger error by v alone.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_q1_0_ref), llama.cpp v0.5.0.
 */
export const encodeQ1_0: Encoder = blockEncoder(
  'Q1_0',
  (values, _weights, out, at) => {
    const scale = peakOf(values) < smallestPeak ? 0 : meanMagnitude(values);
    putWord(out, at, scaleToHalf(scale));
    for (let byte = 0; byte < 16; byte++) {
      let bits = 0;
      for (let j = 0; j < 8; j++) bits |= Number(values[8 * byte + j]! >= 0) << j;
      out[at + 2 + byte] = bits;
    }
  },
  decodeQ1_0,
);
