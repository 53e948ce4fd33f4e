// Scales of a super-block: one f16 times an integer for each sub-block; see
// src/kernels/scalar/sub-scales.ts.
import { pack } from './iq4-grid';
import { all, laneSum } from './lanes';
import { firstLane, maxOfLanes, minOfLanes } from './simd';
import { fitScales, halfScale, halfValue, inversesOf, sumsAt, wll, wxl } from './symmetric-fit';

/** Scales of up to sixteen sub-blocks, f32: as fitted, then as stored times the super-block's. */
export const scales: usize = memory.data(64, 16);
/** Integer sub-scales, f32. */
export const subScales: usize = memory.data(64, 16);
/** Binary16 bits of the super-block's scale. */
export let scaleBits: u32 = 0;

const sumsXl: usize = memory.data(64, 16);
const sumsLl: usize = memory.data(64, 16);

/** Fits `count` sub-blocks of `length` weights; sub-scales are integers in −limit … limit − 1. */
export function fitSuperBlock(
  count: i32,
  length: i32,
  grid: i32,
  limit: f32,
  inverseUnit: f32,
  targets: usize,
  targetCount: i32,
  refinements: i32,
  subScaleTrials: i32,
): void {
  const end = <usize>count * 4;
  for (let at: usize = 0; at < end; at += 16) {
    const start = at * length;
    v128.store(scales + at, fitScales(start, length, grid, targets, targetCount, refinements));
  }
  const bits = halfScale(largest(count) / -limit, inverseUnit);
  const scale = halfValue(bits & 0x7fff ? bits : 1, inverseUnit);
  for (let at: usize = 0; at < end; at += 16) {
    chooseSubScales(at, length, grid, limit, scale, subScaleTrials);
  }
  refit(count, inverseUnit);
  const fitted = all(halfValue(scaleBits, inverseUnit));
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(scales + at, f32x4.mul(fitted, v128.load(subScales + at)));
  }
}

/** The scale of largest magnitude, with its sign. */
function largest(count: i32): f32 {
  let high = all(0);
  let low = all(0);
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    high = f32x4.pmax(high, v128.load(scales + at));
    low = f32x4.pmin(low, v128.load(scales + at));
  }
  const highest = maxOfLanes(high);
  const lowest = minOfLanes(low);
  return firstLane(v128.bitselect(highest, lowest, f32x4.ge(highest, f32x4.neg(lowest))));
}

/** For four sub-blocks: the best of the nearest integer and (with 3 trials) the two beside it. */
function chooseSubScales(
  at: usize,
  length: i32,
  grid: i32,
  limit: f32,
  scale: f32,
  trials: i32,
): void {
  const nearest = f32x4.nearest(f32x4.mul(v128.load(scales + at), inversesOf(all(scale), 0)));
  let bestGain = all(0);
  let best = all(0);
  let bestXl = all(0);
  let bestLl = all(0);
  for (let trial = 0; trial < trials; trial++) {
    const step = all(trial == 2 ? -1 : <f32>trial);
    const moved = f32x4.add(nearest, step);
    const subScale = f32x4.pmin(f32x4.pmax(moved, all(-limit)), all(limit - 1));
    const product = f32x4.mul(all(scale), subScale);
    sumsAt(at * length, length, inversesOf(product, 0), grid);
    const rest = f32x4.sub(f32x4.add(wxl, wxl), f32x4.mul(product, wll));
    const gain = f32x4.mul(product, rest);
    const better = f32x4.gt(gain, bestGain);
    bestGain = v128.bitselect(gain, bestGain, better);
    best = v128.bitselect(subScale, best, better);
    bestXl = v128.bitselect(wxl, bestXl, better);
    bestLl = v128.bitselect(wll, bestLl, better);
  }
  v128.store(subScales + at, best);
  v128.store(sumsXl + at, f32x4.mul(best, bestXl));
  v128.store(sumsLl + at, f32x4.mul(f32x4.mul(best, best), bestLl));
}

/** The least-squares scale for given sub-scales and codes; 0 when every code is 0. */
function refit(count: i32, inverseUnit: f32): void {
  let xl = all(0);
  let ll = all(0);
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    xl = f32x4.add(xl, v128.load(sumsXl + at));
    ll = f32x4.add(ll, v128.load(sumsLl + at));
  }
  const divisor = laneSum(ll);
  scaleBits = halfScale(divisor > 0 ? laneSum(xl) / divisor : 0, inverseUnit);
}

/** The sixteen integer sub-scales as i8. */
export function packedSubScales(): v128 {
  const from = subScales;
  return pack(v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48));
}
