import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeTQ1_0, decodeTQ2_0, tq1Sections } from './decode-ternary.ts';
import { blockEncoder, maxHalf, peakOf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';
import { laneSum } from './lanes.ts';
import { packBitPairs } from './pack.ts';

const { fround } = Math;

/** Where the search starts: thresholds below which weights become 0, in parts of the peak. */
const thresholds = [0.5, 0.28125, 0.171875, 0.09375];

/** The same without importance, in units of peak / 1023. */
const integerThresholds = [511, 383, 287, 223, 175, 127, 95, 47];
const integerPeak = 1023;

/** How often threshold and scale are refitted to each other after the search. */
const refits = 6;

interface Fit {
  readonly gain: number;
  readonly scale: number;
}

/** Least squares for the scale, given which weights are not 0. */
function fitAbove(magnitudes: Float32Array, weights: Float32Array, threshold: number): Fit {
  const kept = magnitudes.map((x) => (x > threshold ? 1 : 0));
  const sumWX = laneSum(kept.length, (i) => fround(magnitudes[i]! * weights[i]!) * kept[i]!);
  const sumW = laneSum(kept.length, (i) => weights[i]! * kept[i]!);
  if (!(sumW > 0)) return { gain: 0, scale: 0 };
  return { gain: fround(fround(sumWX * sumWX) / sumW), scale: fround(sumWX / sumW) };
}

/**
 * The scale d that leaves the least Σ w (x − d q)² over the thresholds met, q = 0 up to the
 * threshold. Once d is known, the best threshold is d / 2.
 */
function fitWeighted(magnitudes: Float32Array, weights: Float32Array, peak: number): number {
  let best: Fit = { gain: 0, scale: peak };
  const attempt = (threshold: number) => {
    const fit = fitAbove(magnitudes, weights, threshold);
    if (fit.gain <= best.gain) return false;
    best = fit;
    return true;
  };
  for (const threshold of thresholds) attempt(fround(peak * threshold));
  for (let round = 0; round < refits && attempt(fround(best.scale * 0.5)); round++);
  return best.scale;
}

/** The same without importance: the threshold is searched on 10-bit integers. */
function fitPlain(magnitudes: Float32Array, weights: Float32Array, peak: number): number {
  const inverse = fround(integerPeak / peak);
  const integers = Int16Array.from(magnitudes, (x) => roundHalfEven(fround(x * inverse)));
  let best = { gain: 0, threshold: 0, next: 0 };
  const attempt = (threshold: number) => {
    const kept = integers.filter((x) => x > threshold);
    const sum = kept.reduce((sum, x) => sum + x, 0);
    const gain = fround(fround(sum * sum) / kept.length);
    if (!(gain > best.gain)) return false;
    best = { gain, threshold, next: Math.floor(sum / (2 * kept.length)) };
    return true;
  };
  for (const threshold of integerThresholds) attempt(threshold);
  for (let round = 0; round < refits && attempt(best.next); round++);
  const threshold = fround(fround(best.threshold + 0.5) * fround(peak / integerPeak));
  return fitAbove(magnitudes, weights, threshold).scale;
}

/** Fits one block; returns the bits of its scale and the codes 0, 1, 2 for −d, 0, d. */
function fitBlock(values: Float32Array, weights: Float32Array, weighted: boolean) {
  const peak = peakOf(values);
  let scale = 0;
  if (peak > maxHalf * 16) scale = maxHalf;
  else if (peak >= smallestPeak)
    scale = (weighted ? fitWeighted : fitPlain)(values.map(Math.abs), weights, peak);
  const half = scaleToHalf(scale);
  const threshold = fround(f16ToF32(half) * 0.5);
  const codes = Uint8Array.from(values, (x) => {
    if (half === 0 || Math.abs(x) <= threshold) return 1;
    return x > 0 ? 2 : 0;
  });
  return { half, codes };
}

/**
 * TQ1_0: five weights in {−d, 0, d} a byte. ggml sets d to the peak, which is right for weights that
 * are ternary already; the search here finds the same d for those and a smaller error elsewhere.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_tq1_0_ref), llama.cpp v0.5.0.
 */
export const encodeTQ1_0: Encoder = blockEncoder(
  'TQ1_0',
  (values, weights, out, at, weighted) => {
    const { half, codes } = fitBlock(values, weights, weighted);
    for (const { at: offset, stride, trits, first } of tq1Sections) {
      for (let m = 0; m < stride; m++) {
        let digits = 0;
        for (let n = 0; n < 5; n++)
          digits = 3 * digits + (n < trits ? codes[first + stride * n + m]! : 0);
        out[at + offset + m] = Math.ceil((digits * 256) / 243);
      }
    }
    putWord(out, at + 52, half);
  },
  decodeTQ1_0,
);

/** TQ2_0: the codes of TQ1_0 at two bits a weight. */
export const encodeTQ2_0: Encoder = blockEncoder(
  'TQ2_0',
  (values, weights, out, at, weighted) => {
    const { half, codes } = fitBlock(values, weights, weighted);
    packBitPairs(codes, out, at, 0);
    putWord(out, at + 64, half);
  },
  decodeTQ2_0,
);
