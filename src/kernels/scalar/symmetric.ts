import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeQ4_0, decodeQ5_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';
import { integerPeak, integersOf, scaleInteger } from './integers.ts';
import { laneSum } from './lanes.ts';
import { packFiveBits, packNibbles } from './pack.ts';

const { fround } = Math;

/**
 * Where the search puts the weight of largest magnitude, in steps: −n is the outermost code, a
 * little further clips it, n − 1 uses the other side. Found by greedy selection over Gaussian,
 * Student-t(4) and model weights.
 */
interface Search {
  /** Codes are −n … n − 1. */
  readonly n: number;
  readonly targets: readonly number[];
  /** Targets of the search without importance, in 2⁻¹⁵ steps per unit of `integersOf`. */
  readonly multipliers: readonly number[];
}

const q4Search: Search = {
  n: 8,
  targets: [
    -8.1875, -8.625, 7.1875, -7.8125, -8.875, -6.875, -8, -8.375, -6.125, -7.625, -7.375, -9,
    -7.125, 7.6875, 8.1875, -6.625,
  ],
  multipliers: [-131, -138, 115],
};

const q5Search: Search = {
  n: 16,
  targets: [
    -15.875, 15.125, -16.375, -14.125, -15.8125, -14.6875, 13.125, -16.875, 14, 15.3125, -16.1875,
    -15.1875, 13.6875, -14.3125, 13.375, -16.625,
  ],
  multipliers: [-258, -243, -263, -226, -253, -237, 210, -267],
};

interface Sums {
  /** Σ w x l and Σ w l². */
  readonly xl: number;
  readonly ll: number;
}

/** The codes −n … n − 1 at `inverse` steps per unit. */
function codesAt(values: Float32Array, inverse: number, n: number): Float32Array {
  return values.map((x) => Math.max(Math.min(roundHalfEven(fround(x * inverse)), n - 1), -n));
}

function trial(values: Float32Array, weights: Float32Array, inverse: number, n: number): Sums {
  const codes = codesAt(values, inverse, n);
  const weighed = codes.map((l, i) => l * weights[i]!);
  return {
    xl: laneSum(values.length, (i) => weighed[i]! * values[i]!),
    ll: laneSum(values.length, (i) => weighed[i]! * codes[i]!),
  };
}

/** How much of Σ w x² the best scale for these codes explains. */
const gainOf = ({ xl, ll }: Sums) => (ll > 0 ? fround(fround(xl * xl) / ll) : 0);

/** The weight of largest magnitude; of two equal ones the positive. */
function signedPeak(values: Float32Array): number {
  const highest = Math.max(...values);
  const lowest = Math.min(...values);
  return highest >= -lowest ? highest : lowest;
}

/** How often codes and scale are refitted to each other when there is importance. */
const refits = 2;

/** The least-squares scale of the best codes met, with importance. */
function fitWeighted(values: Float32Array, weights: Float32Array, search: Search): number {
  const peak = signedPeak(values);
  let best = { gain: -1, scale: 0 };
  const attempt = (inverse: number) => {
    const sums = trial(values, weights, inverse, search.n);
    const gain = gainOf(sums);
    if (gain <= best.gain) return false;
    best = { gain, scale: fround(sums.ll > 0 ? sums.xl / sums.ll : 1 / inverse) };
    return true;
  };
  for (const target of search.targets) attempt(fround(target / peak));
  for (let round = 0; round < refits && attempt(fround(1 / best.scale)); round++);
  return best.scale;
}

/**
 * The same without importance, on 12-bit integers: a trial then costs a third. The values only
 * choose among codes and average into one scale, so their 2⁻¹² vanishes in the rounding of that.
 */
function fitPlain(values: Float32Array, search: Search): number {
  const { n, multipliers } = search;
  const peak = signedPeak(values);
  const integers = integersOf(values, peak);
  let best = { gain: -1, scale: 0 };
  for (const multiplier of multipliers) {
    const codes = integers.map((x) => Math.max(Math.min(scaleInteger(x, multiplier), n - 1), -n));
    const xl = fround(integers.reduce((sum, x, i) => sum + x * codes[i]!, 0));
    const ll = fround(codes.reduce((sum, l) => sum + l * l, 0));
    const scale = fround(xl / ll);
    const gain = fround(xl * scale);
    if (gain > best.gain) best = { gain, scale };
  }
  return fround(best.scale * fround(peak / integerPeak));
}

function symmetricEncoder(type: 'Q4_0' | 'Q5_0', search: Search): Encoder {
  const decode = type === 'Q4_0' ? decodeQ4_0 : decodeQ5_0;
  const { n } = search;
  return blockEncoder(
    type,
    (values, weights, out, at, weighted) => {
      const peak = signedPeak(values);
      const magnitude = Math.abs(peak);
      let scale = 0;
      if (magnitude > maxHalf * n) scale = peak > 0 ? -maxHalf : maxHalf;
      else if (magnitude >= smallestPeak)
        scale = weighted ? fitWeighted(values, weights, search) : fitPlain(values, search);
      const half = scaleToHalf(scale);
      const d = f16ToF32(half);
      const codes = codesAt(values, d === 0 ? 0 : fround(1 / d), n).map((l) => l + n);
      putWord(out, at, half);
      if (n === 16) packFiveBits(codes, out, at + 2);
      else packNibbles(codes, out, at + 2);
    },
    decode,
  );
}

/**
 * Q4_0: signed codes times one scale. Where ggml takes the scale from the peak (without imatrix) or
 * from 19 trials (with), we search without imatrix too, try targets on both sides of zero, refit, and
 * round to the final binary16 scale.
 *
 * @see ggml/src/ggml-quants.c (make_qx_quants), llama.cpp v0.5.0: weighted error at most ggml's on
 * test/golden/ggml-encode.json.
 */
export const encodeQ4_0 = symmetricEncoder('Q4_0', q4Search);

/** Q5_0: Q4_0 with a fifth bit. */
export const encodeQ5_0 = symmetricEncoder('Q5_0', q5Search);
