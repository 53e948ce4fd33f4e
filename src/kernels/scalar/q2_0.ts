import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeQ2_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';
import { laneSum } from './lanes.ts';

const { fround } = Math;

/** Where the search puts the weight of largest magnitude, in steps: 2 is the outermost code, −1 the other end. */
const targets = [2, 2.5, 3, 1.75, 3.5, 2.25, -1, -1.5, -2, -2.5, 1, 1.375] as const;

/** How often codes and scale are refitted to each other after the search. */
const refits = 3;

/** The codes −1 … 2 at `inverse` steps per unit. */
function codesAt(values: Float32Array, inverse: number): Float32Array {
  return values.map((x) => Math.max(Math.min(roundHalfEven(fround(x * inverse)), 2), -1));
}

/** The weight of largest magnitude; of two equal ones the positive. */
function signedPeak(values: Float32Array): number {
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  return highest >= -lowest ? highest : lowest;
}

/** The least-squares scale of the best codes met. */
function fitScale(values: Float32Array, weights: Float32Array, peak: number): number {
  let best = { gain: -1, scale: 0 };
  const attempt = (inverse: number) => {
    const codes = codesAt(values, inverse);
    const weighed = codes.map((code, i) => code * weights[i]!);
    const xl = laneSum(values.length, (i) => weighed[i]! * values[i]!);
    const ll = laneSum(values.length, (i) => weighed[i]! * codes[i]!);
    const gain = ll > 0 ? fround(fround(xl * xl) / ll) : 0;
    if (gain <= best.gain) return false;
    best = { gain, scale: fround(ll > 0 ? xl / ll : 1 / inverse) };
    return true;
  };
  for (const target of targets) attempt(fround(target / peak));
  for (let round = 0; round < refits && attempt(fround(1 / best.scale)); round++);
  return best.scale;
}

/**
 * Q2_0: the codes −1, 0, 1, 2 times one scale of 64 weights, which may be negative. ggml takes the largest magnitude for
 * the scale, so that the code 2 is never used: right for weights that are ternary already, which the search here
 * stores without loss too.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_q2_0_ref), llama.cpp v0.5.0.
 */
export const encodeQ2_0: Encoder = blockEncoder(
  'Q2_0',
  (values, weights, out, at) => {
    const peak = signedPeak(values);
    let scale = 0;
    if (Math.abs(peak) > maxHalf * 2) scale = peak > 0 ? maxHalf : -maxHalf;
    else if (Math.abs(peak) >= smallestPeak) scale = fitScale(values, weights, peak);
    const half = scaleToHalf(scale);
    const d = f16ToF32(half);
    const codes = codesAt(values, d === 0 ? 0 : fround(1 / d));
    putWord(out, at, half);
    for (let byte = 0; byte < 16; byte++) {
      let bits = 0;
      for (let j = 0; j < 4; j++) bits |= (codes[4 * byte + j]! + 1) << (2 * j);
      out[at + 2 + byte] = bits;
    }
  },
  decodeQ2_0,
);
