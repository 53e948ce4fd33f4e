// Fits a scale to each of the four sub-blocks of a group; see src/kernels/scalar/symmetric-fit.ts.
import { grouped, toWeights } from './fit-block';
import { halfToFloat, nearestHalf } from './half';
import { nearestSixteen, quarterOf, snapSixteen, valuesOf } from './iq4-grid';
import { all, round } from './lanes';

/** Kinds of grids: integers in lowest … highest, or IQ4's table (found fast, or exactly). */
export const LINEAR: i32 = 0;
export const IQ4: i32 = 1;
export const IQ4_EXACT: i32 = 2;

export let lowest: v128 = i32x4.splat(0);
export let highest: v128 = i32x4.splat(0);

/** Sub-blocks below this share of the block's largest weight get the scale 0. */
const negligible: f32 = 9.5367431640625e-7;

/** Sets the range of the linear grid. */
export function useLinearGrid(low: f32, high: f32): void {
  lowest = all(low);
  highest = all(high);
}

/** Σ w·x·L of each lane, after `sumsAt`. */
export let wxl: v128 = i32x4.splat(0);
/** Σ w·L² of each lane, after `sumsAt`. */
export let wll: v128 = i32x4.splat(0);

/** Snaps `length` vectors of a group (at byte `start` of the block) to a grid, and sums. */
export function sumsAt(start: usize, length: i32, inverse: v128, grid: i32): void {
  if (grid == LINEAR) linearSums(grouped + start, length, inverse);
  else iq4Sums(grouped + start, length, inverse, grid == IQ4_EXACT);
}

/** The integer of the linear grid nearest to each lane. */
// @ts-ignore: decorator
@inline
export function snap(ratio: v128, lowest: v128, highest: v128): v128 {
  return round(f32x4.pmin(f32x4.pmax(ratio, lowest), highest));
}

function linearSums(from: usize, length: i32, inverse: v128): void {
  const end = from + <usize>length * 16;
  const low = lowest;
  const high = highest;
  let sumXl = all(0);
  let sumLl = all(0);
  for (; from < end; from += 64) {
    const a = snap(f32x4.mul(v128.load(from), inverse), low, high);
    const weightedA = f32x4.mul(v128.load(from, toWeights), a);
    sumXl = f32x4.add(sumXl, f32x4.mul(weightedA, v128.load(from)));
    sumLl = f32x4.add(sumLl, f32x4.mul(weightedA, a));
    const b = snap(f32x4.mul(v128.load(from, 16), inverse), low, high);
    const weightedB = f32x4.mul(v128.load(from, toWeights + 16), b);
    sumXl = f32x4.add(sumXl, f32x4.mul(weightedB, v128.load(from, 16)));
    sumLl = f32x4.add(sumLl, f32x4.mul(weightedB, b));
    const c = snap(f32x4.mul(v128.load(from, 32), inverse), low, high);
    const weightedC = f32x4.mul(v128.load(from, toWeights + 32), c);
    sumXl = f32x4.add(sumXl, f32x4.mul(weightedC, v128.load(from, 32)));
    sumLl = f32x4.add(sumLl, f32x4.mul(weightedC, c));
    const d = snap(f32x4.mul(v128.load(from, 48), inverse), low, high);
    const weightedD = f32x4.mul(v128.load(from, toWeights + 48), d);
    sumXl = f32x4.add(sumXl, f32x4.mul(weightedD, v128.load(from, 48)));
    sumLl = f32x4.add(sumLl, f32x4.mul(weightedD, d));
  }
  wxl = sumXl;
  wll = sumLl;
}

function iq4Sums(from: usize, length: i32, inverse: v128, exact: bool): void {
  const end = from + <usize>length * 16;
  wxl = all(0);
  wll = all(0);
  for (; from < end; from += 64) {
    const a = f32x4.mul(v128.load(from), inverse);
    const b = f32x4.mul(v128.load(from, 16), inverse);
    const c = f32x4.mul(v128.load(from, 32), inverse);
    const d = f32x4.mul(v128.load(from, 48), inverse);
    const values = valuesOf(exact ? nearestSixteen(a, b, c, d) : snapSixteen(a, b, c, d));
    add(v128.load(from), v128.load(from, toWeights), quarterOf(values, 0));
    add(v128.load(from, 16), v128.load(from, toWeights + 16), quarterOf(values, 1));
    add(v128.load(from, 32), v128.load(from, toWeights + 32), quarterOf(values, 2));
    add(v128.load(from, 48), v128.load(from, toWeights + 48), quarterOf(values, 3));
  }
}

// @ts-ignore: decorator
@inline
function add(x: v128, w: v128, code: v128): void {
  const weighted = f32x4.mul(w, code);
  wxl = f32x4.add(wxl, f32x4.mul(weighted, x));
  wll = f32x4.add(wll, f32x4.mul(weighted, code));
}

/** Best scales of a group: `targets` points to `count` f32, then alternates `refinements` times. */
export function fitScales(
  start: usize,
  length: i32,
  grid: i32,
  targets: usize,
  count: i32,
  refinements: i32,
): v128 {
  const inverseExtremes = inversesOf(extremesOf(grouped + start, length), negligible);
  let bestXl = all(0);
  let bestLl = all(1);
  for (let trial = 0; trial < count + refinements; trial++) {
    const inverse =
      trial < count
        ? f32x4.mul(v128.load32_splat(targets + <usize>trial * 4), inverseExtremes)
        : ratiosOf(bestLl, bestXl);
    sumsAt(start, length, inverse, grid);
    const score = f32x4.mul(f32x4.mul(wxl, wxl), bestLl);
    const better = f32x4.gt(score, f32x4.mul(f32x4.mul(bestXl, bestXl), wll));
    bestXl = v128.bitselect(wxl, bestXl, better);
    bestLl = v128.bitselect(wll, bestLl, better);
  }
  return f32x4.div(bestXl, bestLl);
}

/** a / b in lanes where b is not 0, 0 in the others. */
// @ts-ignore: decorator
@inline
export function ratiosOf(a: v128, b: v128): v128 {
  return v128.and(f32x4.div(a, b), f32x4.ne(b, all(0)));
}

/** 1 / value in lanes whose magnitude exceeds `threshold`, 0 in the others. */
// @ts-ignore: decorator
@inline
export function inversesOf(value: v128, threshold: f32): v128 {
  return v128.and(f32x4.div(all(1), value), f32x4.gt(f32x4.abs(value), all(threshold)));
}

/** The weight of largest magnitude in each lane, with its sign; the positive one of a tie. */
function extremesOf(from: usize, length: i32): v128 {
  const end = from + <usize>length * 16;
  let high = all(0);
  let low = all(0);
  for (; from < end; from += 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    high = f32x4.pmax(high, f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d)));
    low = f32x4.pmin(low, f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d)));
  }
  return v128.bitselect(high, low, f32x4.ge(high, f32x4.neg(low)));
}

/** Rounds a scale in units of 1 / inverseUnit to finite binary16 bits. */
export function halfScale(scale: f32, inverseUnit: f32): u32 {
  return nearestHalf(scale * (1 / inverseUnit));
}

/** The value of binary16 bits in units of 1 / inverseUnit. */
export function halfValue(bits: u32, inverseUnit: f32): f32 {
  return halfToFloat(bits) * inverseUnit;
}
