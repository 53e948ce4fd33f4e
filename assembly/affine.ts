// Twin of src/kernels/scalar/affine.ts: Q4_1 and Q5_1.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { halfBelow, halfToFloat, nearestHalf, scaleToHalf } from './half';
import { maxLanes, minLanes, narrow, sumLanes, toIntegers } from './simd';
import { storeFifthBits, storeNibbles } from './pack';
import { decode_Q4_1, decode_Q5_1 } from './decode-legacy';

const allMargins = 16;
const unweightedMargins = 4;

/** Steps below code 0 and above code n, in pairs. */
const margins = memory.data<f32>([
  0.125, 0.125, -0.125, 0.3125, 0.3125, -0.125, -0.6875, 0.125, 0.125, -0.6875, -0.125, 0.5, 0.5,
  -0.125, 0.5, 0.3125, 0.3125, 0.5, -0.3125, -0.125, -0.125, -0.3125, -0.6875, -0.6875, 0.5, -0.3125,
  -0.3125, 0.5, -0.125, -0.6875, 0.125, -0.125,
]);

/** The block's values above the start of the line, and those times their weights. */
const rises = memory.data(128, 16);
const weighedRises = memory.data(128, 16);

let lowest: f32 = 0;
let highest: f32 = 0;
let sumW: f32 = 0;
let sumY: f32 = 0;
let bestGain: f32 = 0;
let lineScale: f32 = 0;
let lineMin: f32 = 0;

@inline function findExtremes(values: usize): void {
  let high = v128.load(values);
  let low = high;
  for (let i: usize = 16; i < 128; i += 16) {
    const x = v128.load(values + i);
    high = f32x4.pmax(high, x);
    low = f32x4.pmin(low, x);
  }
  highest = maxLanes(high);
  lowest = minLanes(low);
}

@inline function storeRises(values: usize, start: f32): void {
  const from = f32x4.splat(start);
  for (let i: usize = 0; i < 128; i += 16)
    v128.store(rises + i, f32x4.sub(v128.load(values + i), from));
}

@inline function codesAt(i: usize, inverse: v128, below: v128, n: f32): v128 {
  const rounded = f32x4.nearest(f32x4.sub(f32x4.mul(v128.load(rises + i), inverse), below));
  return f32x4.pmax(f32x4.splat(0), f32x4.pmin(f32x4.splat(n), rounded));
}

@inline function attempt(weights: usize, inverse: f32, below: f32, n: f32, weighted: bool): void {
  const steps = f32x4.splat(inverse);
  const offset = f32x4.splat(below);
  let sumsL = f32x4.splat(0);
  let sumsLL = f32x4.splat(0);
  let sumsYL = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const code = codesAt(i, steps, offset, n);
    const weighed = weighted ? f32x4.mul(code, v128.load(weights + i)) : code;
    const y = v128.load((weighted ? weighedRises : rises) + i);
    sumsL = f32x4.add(sumsL, weighed);
    sumsLL = f32x4.add(sumsLL, f32x4.mul(weighed, code));
    sumsYL = f32x4.add(sumsYL, f32x4.mul(y, code));
  }
  const sumL = sumLanes(sumsL);
  const spread = sumW * sumLanes(sumsLL) - sumL * sumL;
  const cross = sumW * sumLanes(sumsYL) - sumY * sumL;
  const gain: f32 = spread > 0 && cross > 0 ? cross * (cross / spread) : 0;
  if (gain <= bestGain) return;
  bestGain = gain;
  lineScale = cross / spread;
  lineMin = (sumY - lineScale * sumL) / sumW;
}

@inline function sumWeights(weights: usize): void {
  let totalW = f32x4.splat(0);
  let totalY = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const w = weights ? v128.load(weights + i) : f32x4.splat(1);
    const y = f32x4.mul(v128.load(rises + i), w);
    v128.store(weighedRises + i, y);
    totalW = f32x4.add(totalW, w);
    totalY = f32x4.add(totalY, y);
  }
  sumW = sumLanes(totalW);
  sumY = sumLanes(totalY);
}

/** Sets lineScale and lineMin (relative to the lowest value) to the best line met. */
@inline function fitLine(weights: usize, n: f32): void {
  const span = highest - lowest;
  lineMin = 0;
  lineScale = 0;
  if (span < smallestPeak) return;
  lineScale = span / n;
  bestGain = 0;
  sumWeights(weights);
  const end = margins + 8 * (weights ? allMargins : unweightedMargins);
  for (let at = margins; at < end; at += 8) {
    const below = load<f32>(at);
    const inverse = (n + below + load<f32>(at, 4)) / span;
    if (weights) attempt(weights, inverse, below, n, true);
    else attempt(weights, inverse, below, n, false);
  }
}

/** Least squares for the scale alone, the start of the line being fixed. */
@inline function refitScale(values: usize, weights: usize, start: f32, n: f32): void {
  storeRises(values, start);
  if (lineScale < smallestPeak) return;
  const steps = f32x4.splat(<f32>1 / lineScale);
  let sumLL = f32x4.splat(0);
  let sumYL = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const code = codesAt(i, steps, f32x4.splat(0), n);
    const weighed = weights ? f32x4.mul(code, v128.load(weights + i)) : code;
    sumLL = f32x4.add(sumLL, f32x4.mul(weighed, code));
    sumYL = f32x4.add(sumYL, f32x4.mul(weighed, v128.load(rises + i)));
  }
  const ll = sumLanes(sumLL);
  const yl = sumLanes(sumYL);
  if (ll > 0 && yl > 0) lineScale = yl / ll;
}

/** A line from the largest half that is not above the lowest value; returns the half. */
@inline function stretchLine(n: f32): u32 {
  const half = halfBelow(lowest);
  lineScale = (highest - halfToFloat(half)) / n;
  return half;
}

/** Fits a line whose start is a binary16 number; returns its bits. */
@inline function fitRoundedLine(values: usize, weights: usize, n: f32): u32 {
  storeRises(values, lowest);
  fitLine(weights, n);
  const wanted = lineMin + lowest;
  let half = nearestHalf(wanted);
  if (abs(halfToFloat(half) - wanted) > lineScale * 0.125) half = stretchLine(n);
  refitScale(values, weights, halfToFloat(half), n);
  return half;
}

@inline function packedCodes(i: usize, inverse: v128, n: f32): v128 {
  const zero = f32x4.splat(0);
  const a = toIntegers(codesAt(i, inverse, zero, n));
  const b = toIntegers(codesAt(i + 16, inverse, zero, n));
  const c = toIntegers(codesAt(i + 32, inverse, zero, n));
  const d = toIntegers(codesAt(i + 48, inverse, zero, n));
  return narrow(a, b, c, d);
}

@inline function writeBlock(values: usize, weights: usize, out: usize, n: f32): void {
  findExtremes(values);
  const peak = max(highest, -lowest);
  let start: u32 = 0;
  lineScale = 0;
  if (peak > maxHalf) {
    start = stretchLine(n);
    storeRises(values, halfToFloat(start));
  } else if (peak >= smallestPeak) start = fitRoundedLine(values, weights, n);
  else storeRises(values, 0);
  const half = scaleToHalf(lineScale);
  const d = halfToFloat(half);
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  const first = packedCodes(0, inverse, n);
  const second = packedCodes(64, inverse, n);
  store<u16>(out, half);
  store<u16>(out, start, 2);
  if (n == 31) storeFifthBits(first, second, out + 4);
  storeNibbles(first, second, n == 31 ? out + 8 : out + 4);
}

function writeQ4_1(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 15);
}

function writeQ5_1(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 31);
}

export function encode_Q4_1(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 32, 20, writeQ4_1, decode_Q4_1);
}

export function encode_Q5_1(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 32, 24, writeQ5_1, decode_Q5_1);
}
