import { f16ToF32 } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeTQ1_0, decodeTQ2_0, tq1Sections } from './decode-ternary.ts';
import { blockEncoder, maxHalf, peakOf, putWord, scaleToHalf, smallestPeak } from './encoder.ts';
import { laneSum } from './lanes.ts';

const { fround } = Math;

/** Where the search starts: thresholds below which weights become 0, in parts of the peak. */
const thresholds = [0.5, 0.375, 0.28125, 0.21875, 0.171875, 0.125, 0.09375, 0.046875];

/** How often threshold and scale are refitted to each other after the search. */
const refits = 6;

/**
 * The scale d that leaves the least Σ w (x − d q)² over the thresholds met, q = 0 up to the
 * threshold. Once d is known, the best threshold is d / 2.
 */
function fitScale(values: Float32Array, weights: Float32Array, peak: number): number {
  let best = { gain: -1, scale: 0 };
  const attempt = (threshold: number) => {
    const isKept = (i: number) => Math.abs(values[i]!) > threshold;
    const sumWX = laneSum(values.length, (i) =>
      isKept(i) ? fround(Math.abs(values[i]!) * weights[i]!) : 0,
    );
    const sumW = laneSum(values.length, (i) => (isKept(i) ? weights[i]! : 0));
    const gain = sumW > 0 ? fround(fround(sumWX * sumWX) / sumW) : 0;
    if (gain <= best.gain) return false;
    best = { gain, scale: sumW > 0 ? fround(sumWX / sumW) : peak };
    return true;
  };
  for (const threshold of thresholds) attempt(fround(peak * threshold));
  for (let round = 0; round < refits && attempt(fround(best.scale * 0.5)); round++);
  return best.scale;
}

/** Fits one block; returns the bits of its scale and the codes 0, 1, 2 for −d, 0, d. */
function fitBlock(values: Float32Array, weights: Float32Array) {
  const peak = peakOf(values);
  let scale = 0;
  if (peak > maxHalf * 16) scale = maxHalf;
  else if (peak >= smallestPeak) scale = fitScale(values, weights, peak);
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
  (values, weights, out, at) => {
    const { half, codes } = fitBlock(values, weights);
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
  (values, weights, out, at) => {
    const { half, codes } = fitBlock(values, weights);
    for (let j = 0; j < 64; j++) {
      const first = 128 * (j >> 5) + (j & 31);
      out[at + j] =
        codes[first]! |
        (codes[first + 32]! << 2) |
        (codes[first + 64]! << 4) |
        (codes[first + 96]! << 6);
    }
    putWord(out, at + 64, half);
  },
  decodeTQ2_0,
);
