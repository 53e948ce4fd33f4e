import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../util/half-float.ts';
import type { GroupGrid } from './group-codes.ts';

/** The scale and zero point of one group. */
export interface GroupFit {
  readonly scale: number;
  readonly zeroPoint: number;
}

const { fround } = Math;

/** Shares of a group's range that are tried as the range of its codes: what lies beyond is clamped. */
const shares = [1.05, 1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72, 0.68, 0.64, 0.6, 0.56, 0.52];

/** With 256 codes clamping never pays. */
const wideShares = [1];

const largest = { F32: 3e38, BF16: 3e38, F16: 65504 } as const;
const smallest = { F32: 2 ** -126, BF16: 2 ** -126, F16: 2 ** -24 } as const;

const roundTrip = {
  F32: fround,
  BF16: (x: number) => bf16ToF32(f32ToBf16(x)),
  F16: (x: number) => f16ToF32(f32ToF16(x)),
} as const;

/**
 * The scale and zero point with the least Σ w (x − x̂)²: for several ranges codes are chosen, then the scale that
 * suits them best by least squares, rounded to its type. Zero is always a code.
 *
 * @param weights - How much each squared error counts; groups that nobody weighs are fitted as if all counted alike.
 * @remarks About 14 passes over the group, one with 8 bits.
 */
export function fitGroup(values: Float64Array, weights: Float64Array, grid: GroupGrid): GroupFit {
  const counted = weights.some((weight) => weight > 0) ? weights : weights.map(() => 1);
  const top = 2 ** grid.bits - 1;
  const half = 2 ** (grid.bits - 1);
  const [low, high] = rangeOf(values);
  if (low === 0 && high === 0) return { scale: 1, zeroPoint: grid.symmetric ? half : 0 };
  let best = { scale: 1, zeroPoint: half, error: Infinity };
  const attempt = (scale: number, zeroPoint: number) => {
    const stored = storedScale(refined(values, counted, { scale, zeroPoint }, top), grid);
    const fit = { scale: stored, zeroPoint };
    const error = errorOf(values, counted, fit, top);
    if (error < best.error) best = { ...fit, error };
  };
  for (const share of grid.bits === 8 ? wideShares : shares) {
    if (!grid.symmetric) {
      const scale = (share * (high - low)) / top;
      attempt(scale, clamp(Math.round((-share * low) / scale), top));
      continue;
    }
    const peak = share * Math.max(-low, high);
    attempt(peak / (half - 1), half);
    if (grid.negativeScales || -low > high) attempt((-low > high ? peak : -peak) / half, half);
  }
  return { scale: best.scale, zeroPoint: best.zeroPoint };
}

/** The code nearest to a weight. */
export function codeOf(value: number, { scale, zeroPoint }: GroupFit, top: number): number {
  return clamp(Math.round(value / scale) + zeroPoint, top);
}

function clamp(code: number, top: number): number {
  return Math.min(Math.max(code, 0), top);
}

function rangeOf(values: Float64Array): [low: number, high: number] {
  let [low, high] = [0, 0];
  for (const value of values) {
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  return [low, high];
}

/** The best scale for the codes that this one gives. */
function refined(values: Float64Array, weights: Float64Array, fit: GroupFit, top: number): number {
  let [product, square] = [0, 0];
  for (let at = 0; at < values.length; at++) {
    const steps = codeOf(values[at]!, fit, top) - fit.zeroPoint;
    product += weights[at]! * values[at]! * steps;
    square += weights[at]! * steps * steps;
  }
  return square > 0 && product !== 0 ? product / square : fit.scale;
}

function storedScale(scale: number, { scaleType = 'F16' }: GroupGrid): number {
  const size = Math.min(Math.max(Math.abs(scale), smallest[scaleType]), largest[scaleType]);
  return Math.sign(scale) * roundTrip[scaleType](size);
}

function errorOf(values: Float64Array, weights: Float64Array, fit: GroupFit, top: number): number {
  let error = 0;
  for (let at = 0; at < values.length; at++) {
    const read = (codeOf(values[at]!, fit, top) - fit.zeroPoint) * fit.scale;
    error += weights[at]! * (values[at]! - read) ** 2;
  }
  return error;
}
