// Scales of a super-block of a codebook type; see src/kernels/scalar/codebook-scales.ts.
import { chooseEntries, listed, wll, wxl } from './codebook';
import { grouped } from './fit-block';
import { all, laneSum, round } from './lanes';
import { firstLane, maxOfLanes } from './simd';
import { halfScale, halfValue, inversesOf, ratiosOf } from './symmetric-fit';

/** What the largest scale of a super-block is divided into. */
const divisors = memory.data<f32>([31, 29, 27, 33, 25, 35, 23, 38]);
const divisorCount: usize = 8;

/** Scales of up to sixteen sub-blocks, f32: as fitted alone, then as stored. */
export const scales: usize = memory.data(64, 16);
/** Their sub-scales in 0 … 15, f32. */
export const subScales: usize = memory.data(64, 16);
/** Binary16 bits of d. */
export let scaleBits: u32 = 0;

const sumsXl: usize = memory.data(64, 16);
const sumsLl: usize = memory.data(64, 16);

/** How scales are searched: `count` f32 targets, `tried` entries looked at for each. */
let targets: usize = 0;
let targetCount: i32 = 0;
let tried: i32 = 0;
/** What the fitted d is multiplied with. */
let stretch: f32 = 1;
const refinements = 1;
const moves = 3;
/** Entries looked at while the sub-scales are chosen. */
const usual = 8;

export function useTargets(at: usize, count: i32, entries: i32, factor: f32): void {
  targets = at;
  targetCount = count;
  tried = entries;
  stretch = factor;
}

/** Fits `count` sub-blocks of `length` weights and chooses their entries; scales are d · share · (2s + 1). */
export function fitCodebook(count: i32, length: i32, share: f32, inverseUnit: f32): void {
  const end = <usize>count * 4;
  for (let at: usize = 0; at < end; at += 16) fitAlone(at, length);
  const rough = halfValue(storedStep(end, share, inverseUnit), inverseUnit) * share;
  for (let at: usize = 0; at < end; at += 16) chooseSubScales(at, length, rough);
  joinSums(end);
  scaleBits = halfScale((ratio(joinedXl, joinedLl) / share) * stretch, inverseUnit);
  const step = all(halfValue(scaleBits, inverseUnit) * share);
  for (let at: usize = 0; at < end; at += 16) {
    const scale = f32x4.mul(step, multiplier(v128.load(subScales + at)));
    v128.store(scales + at, scale);
    chooseEntries(at * length, length, scale, listed);
  }
}

/** Four sub-blocks by themselves: the best scales tried, then of alternating with the entries. */
function fitAlone(at: usize, length: i32): void {
  const start = at * length;
  const largest = largestOf(grouped + start, length);
  let bestXl = all(0);
  let bestLl = all(0);
  for (let trial = 0; trial < targetCount + refinements; trial++) {
    const isTarget = trial < targetCount;
    const scale = isTarget
      ? f32x4.mul(largest, all(<f32>1 / load<f32>(targets + <usize>trial * 4)))
      : ratiosOf(bestXl, bestLl);
    chooseEntries(start, length, scale, isTarget ? tried : usual);
    const score = f32x4.mul(f32x4.mul(wxl, wxl), bestLl);
    const better = v128.or(
      f32x4.gt(score, f32x4.mul(f32x4.mul(bestXl, bestXl), wll)),
      f32x4.eq(bestLl, all(0)),
    );
    bestXl = v128.bitselect(wxl, bestXl, better);
    bestLl = v128.bitselect(wll, bestLl, better);
  }
  v128.store(scales + at, ratiosOf(bestXl, bestLl));
  v128.store(sumsXl + at, bestXl);
  v128.store(sumsLl + at, bestLl);
}

function largestOf(from: usize, length: i32): v128 {
  let most = all(0);
  for (const end = from + <usize>length * 16; from < end; from += 16) {
    most = f32x4.pmax(most, f32x4.abs(v128.load(from)));
  }
  return most;
}

// @ts-ignore: decorator
@inline
function ratio(a: f32, b: f32): f32 {
  return b > 0 ? a / b : 0;
}

/** The nearest sub-scales of scales in units of 1 / inverse. */
// @ts-ignore: decorator
@inline
function subScaleOf(scale: v128, inverse: v128): v128 {
  const steps = f32x4.mul(f32x4.sub(f32x4.mul(scale, inverse), all(1)), all(0.5));
  return round(f32x4.pmin(f32x4.pmax(steps, all(0)), all(15)));
}

// @ts-ignore: decorator
@inline
function multiplier(subScale: v128): v128 {
  return f32x4.add(f32x4.add(subScale, subScale), all(1));
}

let joinedXl: f32 = 0;
let joinedLl: f32 = 0;

/** Sums of all sub-blocks in units of d · share, for the sub-scales in memory. */
function joinSums(end: usize): void {
  let xl = all(0);
  let ll = all(0);
  for (let at: usize = 0; at < end; at += 16) {
    const times = multiplier(v128.load(subScales + at));
    xl = f32x4.add(xl, f32x4.mul(times, v128.load(sumsXl + at)));
    ll = f32x4.add(ll, f32x4.mul(f32x4.mul(times, times), v128.load(sumsLl + at)));
  }
  joinedXl = laneSum(xl);
  joinedLl = laneSum(ll);
}

/** d of a super-block: the best of the divisors, fitted to the sums of all sub-blocks. */
function storedStep(end: usize, share: f32, inverseUnit: f32): u32 {
  let most = all(0);
  for (let at: usize = 0; at < end; at += 16) most = f32x4.pmax(most, v128.load(scales + at));
  const largest = firstLane(maxOfLanes(most));
  let bestXl: f32 = 0;
  let bestLl: f32 = 0;
  for (let trial: usize = 0; trial < divisorCount; trial++) {
    const step = largest * (<f32>1 / load<f32>(divisors + trial * 4));
    const inverse = inversesOf(all(step), 0);
    for (let at: usize = 0; at < end; at += 16) {
      v128.store(subScales + at, subScaleOf(v128.load(scales + at), inverse));
    }
    joinSums(end);
    const score = joinedXl * joinedXl * bestLl;
    if (bestLl != 0 && !(score > bestXl * bestXl * joinedLl)) continue;
    bestXl = joinedXl;
    bestLl = joinedLl;
  }
  return halfScale(ratio(bestXl, bestLl) / share, inverseUnit);
}

/** For four sub-blocks: the best of the nearest sub-scale and the two beside it. */
function chooseSubScales(at: usize, length: i32, step: f32): void {
  const nearest = subScaleOf(v128.load(scales + at), inversesOf(all(step), 0));
  let bestGain = all(0);
  let best = all(0);
  let bestXl = all(0);
  let bestLl = all(0);
  for (let trial = 0; trial < moves; trial++) {
    const moved = f32x4.add(nearest, all(trial == 2 ? -1 : <f32>trial));
    const subScale = f32x4.pmin(f32x4.pmax(moved, all(0)), all(15));
    const scale = f32x4.mul(all(step), multiplier(subScale));
    chooseEntries(at * length, length, scale, usual);
    const rest = f32x4.sub(f32x4.add(wxl, wxl), f32x4.mul(scale, wll));
    const gain = f32x4.mul(scale, rest);
    const better = trial == 0 ? i32x4.splat(-1) : f32x4.gt(gain, bestGain);
    bestGain = v128.bitselect(gain, bestGain, better);
    best = v128.bitselect(subScale, best, better);
    bestXl = v128.bitselect(wxl, bestXl, better);
    bestLl = v128.bitselect(wll, bestLl, better);
  }
  v128.store(subScales + at, best);
  v128.store(sumsXl + at, bestXl);
  v128.store(sumsLl + at, bestLl);
}
