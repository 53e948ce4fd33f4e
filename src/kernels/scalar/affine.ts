import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { Encoder } from '../kernels.ts';
import { decodeQ4_1, decodeQ5_1 } from './decode-legacy.ts';
import {
  blockEncoder,
  halfBelow,
  maxHalf,
  nearestHalf,
  peakOf,
  putWord,
  scaleToHalf,
  smallestPeak,
} from './encoder.ts';
import { integerPeak, integersOf, scaleInteger } from './integers.ts';
import { laneSum } from './lanes.ts';
import { packFiveBits, packNibbles } from './pack.ts';

const { fround } = Math;

/**
 * How far the search lets the extremes lie outside the codes, in steps: [below 0, above n]. Found by
 * greedy selection over Gaussian, Student-t(4) and model weights. ggml moves the upper end only.
 */
const margins = [
  [0.125, 0.125],
  [-0.125, 0.3125],
  [0.3125, -0.125],
  [-0.6875, 0.125],
  [0.125, -0.6875],
  [-0.125, 0.5],
  [0.5, -0.125],
  [0.5, 0.3125],
  [0.3125, 0.5],
  [-0.3125, -0.125],
  [-0.125, -0.3125],
  [-0.6875, -0.6875],
  [0.5, -0.3125],
  [-0.3125, 0.5],
  [-0.125, -0.6875],
  [0.125, -0.125],
] as const;

/** The search without importance: [shift, multiplier] in units of `integersOf` and 2⁻¹⁵ steps. */
const integerTrials = {
  15: [
    [-13, 243],
    [13, 243],
    [-40, 243],
    [-42, 234],
  ],
  31: [
    [-7, 499],
    [47, 490],
    [-20, 499],
    [7, 499],
  ],
} as const;

/** The largest code. */
type Levels = keyof typeof integerTrials;

/** A line x ≈ scale · code + min. */
interface Line {
  readonly scale: number;
  readonly min: number;
}

/** Codes 0 … n of `rises` (values above the line's start) at `inverse` steps per unit. */
function codesAt(rises: Float32Array, inverse: number, below: number, n: Levels): Float32Array {
  return rises.map((y) =>
    Math.max(Math.min(roundHalfEven(fround(fround(y * inverse) - below)), n), 0),
  );
}

/** Weighted least squares over many choices of the codes; `min` is relative to the lowest value. */
function fitWeighted(rises: Float32Array, weights: Float32Array, span: number, n: Levels): Line {
  const wy = rises.map((y, i) => y * weights[i]!);
  const sumW = laneSum(rises.length, (i) => weights[i]!);
  const sumY = laneSum(rises.length, (i) => wy[i]!);
  let best = { gain: 0, scale: fround(span / n), min: 0 };
  for (const [below, above] of margins) {
    const codes = codesAt(rises, fround((n + below + above) / span), below, n);
    const wl = codes.map((l, i) => l * weights[i]!);
    const sumL = laneSum(rises.length, (i) => wl[i]!);
    const sumLL = laneSum(rises.length, (i) => wl[i]! * codes[i]!);
    const sumYL = laneSum(rises.length, (i) => wy[i]! * codes[i]!);
    const spread = fround(fround(sumW * sumLL) - fround(sumL * sumL));
    const cross = fround(fround(sumW * sumYL) - fround(sumY * sumL));
    const gain = spread > 0 && cross > 0 ? fround(cross * fround(cross / spread)) : 0;
    if (gain <= best.gain) continue;
    const scale = fround(cross / spread);
    best = { gain, scale, min: fround(fround(sumY - fround(scale * sumL)) / sumW) };
  }
  return best;
}

/** The same without importance, on 12-bit integers: fewer and much cheaper trials. */
function fitPlain(rises: Float32Array, span: number, n: Levels): Line {
  const integers = integersOf(rises, span);
  const sumY = integers.reduce((sum, y) => sum + y, 0);
  let best = { gain: -1, scale: 0, min: 0 };
  for (const [shift, multiplier] of integerTrials[n]) {
    const codes = integers.map((y) =>
      Math.max(Math.min(scaleInteger(y + shift, multiplier), n), 0),
    );
    const sumL = codes.reduce((sum, l) => sum + l, 0);
    const sumLL = codes.reduce((sum, l) => sum + l * l, 0);
    const sumYL = codes.reduce((sum, l, i) => sum + l * integers[i]!, 0);
    const spread = fround(codes.length * sumLL - sumL * sumL);
    const cross = fround(codes.length * sumYL - sumY * sumL);
    const gain = fround(cross * fround(cross / spread));
    if (gain <= best.gain) continue;
    const scale = fround(cross / spread);
    best = { gain, scale, min: fround(fround(sumY - fround(scale * sumL)) * fround(1 / 32)) };
  }
  const unit = fround(span / integerPeak);
  return { scale: fround(best.scale * unit), min: fround(best.min * unit) };
}

/** A line whose start is a binary16 number, given as its bits. */
interface RoundedLine extends Line {
  readonly half: number;
}

/** From the largest binary16 number that is not above the lowest value, up to the highest. */
function stretchedLine(values: Float32Array, n: Levels): RoundedLine {
  const half = halfBelow(Math.min(...values));
  const min = f16ToF32(half);
  return { half, min, scale: fround(fround(Math.max(...values) - min) / n) };
}

/**
 * The best line with its start rounded to binary16. Where that rounding is coarse against the steps
 * (a large offset with a small spread), the line starts below the lowest value instead.
 */
function fitRoundedLine(values: Float32Array, weights: Float32Array, weighted: boolean, n: Levels) {
  const lowest = Math.min(...values);
  const rises = values.map((x) => x - lowest);
  const span = Math.max(...rises);
  let line: Line = { scale: 0, min: 0 };
  if (span >= smallestPeak)
    line = weighted ? fitWeighted(rises, weights, span, n) : fitPlain(rises, span, n);
  const wanted = fround(line.min + lowest);
  const half = nearestHalf(wanted);
  const min = f16ToF32(half);
  if (Math.abs(fround(min - wanted)) <= fround(line.scale * 0.03125))
    return { half, min, scale: line.scale };
  return refitScale(values, weights, stretchedLine(values, n), n);
}

/** Least squares for the scale alone, the start of the line being fixed. */
function refitScale(values: Float32Array, weights: Float32Array, line: RoundedLine, n: Levels) {
  if (line.scale < smallestPeak) return line;
  const rises = values.map((x) => x - line.min);
  const codes = codesAt(rises, fround(1 / line.scale), 0, n);
  const wl = codes.map((l, i) => l * weights[i]!);
  const sumLL = laneSum(values.length, (i) => wl[i]! * codes[i]!);
  const sumYL = laneSum(values.length, (i) => wl[i]! * rises[i]!);
  return sumLL > 0 && sumYL > 0 ? { ...line, scale: fround(sumYL / sumLL) } : line;
}

function affineEncoder(type: 'Q4_1' | 'Q5_1', n: Levels): Encoder {
  return blockEncoder(
    type,
    (values, weights, out, at, weighted) => {
      const peak = peakOf(values);
      let line: RoundedLine = { half: 0, min: 0, scale: 0 };
      if (peak > maxHalf) line = stretchedLine(values, n);
      else if (peak >= smallestPeak) line = fitRoundedLine(values, weights, weighted, n);
      const half = scaleToHalf(line.scale);
      const d = f16ToF32(half);
      const rises = values.map((x) => x - line.min);
      const codes = codesAt(rises, d === 0 ? 0 : fround(1 / d), 0, n);
      putWord(out, at, half);
      putWord(out, at + 2, line.half);
      if (n === 31) packFiveBits(codes, out, at + 4);
      else packNibbles(codes, out, at + 4);
    },
    type === 'Q4_1' ? decodeQ4_1 : decodeQ5_1,
  );
}

/**
 * Q4_1: codes 0 … 15 times a scale, plus a minimum. ggml takes both from the extremes (without
 * imatrix) or keeps the minimum at or below 0 and rounds both scales last (with); we search both
 * ends, allow any minimum, round it first and refit the scale.
 *
 * @see ggml/src/ggml-quants.c (make_qkx3_quants), llama.cpp v0.5.0: weighted error at most ggml's on
 * test/golden/ggml-encode.json.
 */
export const encodeQ4_1 = affineEncoder('Q4_1', 15);

/** Q5_1: Q4_1 with codes 0 … 31. */
export const encodeQ5_1 = affineEncoder('Q5_1', 31);
