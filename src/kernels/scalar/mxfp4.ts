import type { Encoder } from '../kernels.ts';
import { decodeMXFP4 } from './decode-nonlinear.ts';
import { blockEncoder, peakOf } from './encoder.ts';
import { laneSum } from './lanes.ts';
import { packNibbles } from './pack.ts';

const { fround } = Math;

/** Exponent bytes that keep every decoded value, and the reciprocal of the scale, normal and finite. */
const lowestExponent = 2;
const highestExponent = 252;

/** The gap between FP4 levels (in half units) around a magnitude: 1 below 4, 2 below 8, then 4. */
function gapAt(magnitude: number): number {
  if (magnitude < 4) return 1;
  return magnitude < 8 ? 2 : 4;
}

/** The nearest of 0, 1, 2, 3, 4, 6, 8, 12; halfway goes down, as in ggml. */
function nearestLevel(magnitude: number): number {
  const gap = gapAt(magnitude);
  return Math.min(gap * Math.ceil(fround(fround(magnitude / gap) - 0.5)), 12);
}

/** Position of a level among 0, 1, 2, 3, 4, 6, 8, 12. */
function codeOf(level: number): number {
  const gap = gapAt(level);
  return level / gap + (gap === 1 ? 0 : gap === 2 ? 2 : 4);
}

/** Σ w (|x| / scale − level)², in squared half units of the exponent `e`. */
function errorAt(values: Float32Array, weights: Float32Array, e: number): number {
  const inverse = 2 ** (128 - e);
  return laneSum(values.length, (i) => {
    const magnitude = fround(Math.abs(values[i]!) * inverse);
    const difference = fround(magnitude - nearestLevel(magnitude));
    return fround(difference * difference) * weights[i]!;
  });
}

/** The exponent of least error among the one that just holds the peak (ggml's) and its neighbours. */
function fitExponent(values: Float32Array, weights: Float32Array, peak: number): number {
  const usual = Math.floor(Math.log2(peak)) - 2 + 127;
  let best = { e: 0, error: Infinity };
  for (const step of [0, 1, -1]) {
    const e = Math.min(Math.max(usual + step, lowestExponent), highestExponent);
    const error = fround(errorAt(values, weights, e) * 4 ** step);
    if (error < best.error) best = { e, error };
  }
  return best.e;
}

/**
 * MXFP4: FP4 codes under a power-of-two scale.
 *
 * @see OCP Microscaling Formats v1.0; ggml/src/ggml-quants.c (quantize_row_mxfp4_ref), which takes
 * the exponent from the peak alone: at the same exponent the bytes are equal.
 */
export const encodeMXFP4: Encoder = blockEncoder(
  'MXFP4',
  (values, weights, out, at) => {
    const peak = peakOf(values);
    const e = peak === 0 ? 0 : fitExponent(values, weights, peak);
    const inverse = peak === 0 ? 0 : 2 ** (128 - e);
    out[at] = e;
    const codes = values.map((x) => {
      const level = nearestLevel(fround(Math.abs(x) * inverse));
      return level > 0 && x < 0 ? codeOf(level) + 8 : codeOf(level);
    });
    packNibbles(codes, out, at + 1);
  },
  decodeMXFP4,
);
