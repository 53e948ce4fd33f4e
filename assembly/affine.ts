// Twin of src/kernels/scalar/affine.ts: Q4_1 and Q5_1.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, halfBelow, halfToFloat, roundScale, roundToHalf } from './half';
import {
  firstLane, foldIntegers, highestOf32, integersAt, largestLane, lowestOf32, narrow, sumLanes,
  toIntegers,
} from './simd';
import { storeFifthBits, storeNibbles } from './pack';
import { decode_Q4_1, decode_Q5_1 } from './decode-legacy';

const allMargins = 16;

/** Steps below code 0 and above code n, in pairs. */
const margins = memory.data<f32>([
  0.125, 0.125, -0.125, 0.3125, 0.3125, -0.125, -0.6875, 0.125, 0.125, -0.6875, -0.125, 0.5, 0.5,
  -0.125, 0.5, 0.3125, 0.3125, 0.5, -0.3125, -0.125, -0.125, -0.3125, -0.6875, -0.6875, 0.5, -0.3125,
  -0.3125, 0.5, -0.125, -0.6875, 0.125, -0.125,
]);

/** The search on integers: four shifts, then four multipliers. */
const q4Trials = memory.data<i16>([-13, 13, -40, -42, 243, 243, 243, 234]);
const q5Trials = memory.data<i16>([-7, 47, -20, 7, 499, 490, 499, 499]);
const integerPeak: f32 = 2047;

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
  highest = firstLane(highestOf32(values));
  lowest = firstLane(lowestOf32(values));
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

function attempt(weights: usize, inverse: f32, below: f32, n: f32): void {
  const steps = f32x4.splat(inverse);
  const offset = f32x4.splat(below);
  let sumsL = f32x4.splat(0);
  let sumsLL = f32x4.splat(0);
  let sumsYL = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 32) {
    const first = codesAt(i, steps, offset, n);
    const second = codesAt(i + 16, steps, offset, n);
    const weighedFirst = f32x4.mul(first, v128.load(weights + i));
    const weighedSecond = f32x4.mul(second, v128.load(weights + i, 16));
    sumsL = f32x4.add(f32x4.add(sumsL, weighedFirst), weighedSecond);
    sumsLL = f32x4.add(sumsLL, f32x4.mul(weighedFirst, first));
    sumsYL = f32x4.add(sumsYL, f32x4.mul(first, v128.load(weighedRises + i)));
    sumsLL = f32x4.add(sumsLL, f32x4.mul(weighedSecond, second));
    sumsYL = f32x4.add(sumsYL, f32x4.mul(second, v128.load(weighedRises + i, 16)));
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
    const w = v128.load(weights + i);
    const y = f32x4.mul(v128.load(rises + i), w);
    v128.store(weighedRises + i, y);
    totalW = f32x4.add(totalW, w);
    totalY = f32x4.add(totalY, y);
  }
  sumW = sumLanes(totalW);
  sumY = sumLanes(totalY);
}

/** Sets lineScale and lineMin (relative to the lowest value) to the best line met. */
@inline function fitWeighted(weights: usize, span: f32, n: f32): void {
  lineScale = span / n;
  bestGain = 0;
  sumWeights(weights);
  for (let at = margins, end = margins + 8 * allMargins; at < end; at += 8) {
    const below = load<f32>(at);
    attempt(weights, (n + below + load<f32>(at, 4)) / span, below, n);
  }
}

@inline function integerCodes(y: v128, shift: v128, multiplier: v128, n: f32): v128 {
  const scaled = i16x8.q15mulr_sat_s(i16x8.add(y, shift), multiplier);
  return i16x8.max_s(i16x8.splat(0), i16x8.min_s(i16x8.splat(<i16>n), scaled));
}

@inline function addFour(a: v128, b: v128, c: v128, d: v128): v128 {
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

@inline function addDots(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): v128 {
  return addFour(
    i32x4.dot_i16x8_s(a, e),
    i32x4.dot_i16x8_s(b, f),
    i32x4.dot_i16x8_s(c, g),
    i32x4.dot_i16x8_s(d, h),
  );
}

/** Sum of eight 16-bit lanes, four partial sums. */
@inline function addCodes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(
    i16x8.add(i16x8.add(a, b), i16x8.add(c, d)),
  );
}

/** What four trials gather, a vector each; then, transposed, a lane a trial. */
const sumsL = memory.data(64, 16);
const sumsLL = memory.data(64, 16);
const sumsYL = memory.data(64, 16);

@inline function foldStored(at: usize): v128 {
  return foldIntegers(v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48));
}

/** The same without weights, four trials on 12-bit integers. */
@inline function fitPlain(span: f32, n: f32, trials: usize): void {
  const scale = f32x4.splat(integerPeak / span);
  const a = integersAt(rises, scale);
  const b = integersAt(rises + 32, scale);
  const c = integersAt(rises + 64, scale);
  const d = integersAt(rises + 96, scale);
  for (let trial: usize = 0; trial < 4; trial++) {
    const shift = v128.load16_splat(trials + 2 * trial);
    const multiplier = v128.load16_splat(trials + 2 * trial, 8);
    const e = integerCodes(a, shift, multiplier, n);
    const f = integerCodes(b, shift, multiplier, n);
    const g = integerCodes(c, shift, multiplier, n);
    const h = integerCodes(d, shift, multiplier, n);
    v128.store(sumsL + 16 * trial, addCodes(e, f, g, h));
    v128.store(sumsLL + 16 * trial, addDots(e, f, g, h, e, f, g, h));
    v128.store(sumsYL + 16 * trial, addDots(a, b, c, d, e, f, g, h));
  }
  const sumOfY = addCodes(a, b, c, d);
  const y = foldIntegers(sumOfY, sumOfY, sumOfY, sumOfY);
  keepBest(y, foldStored(sumsL), foldStored(sumsLL), foldStored(sumsYL));
  const unit = span / integerPeak;
  lineScale *= unit;
  lineMin *= unit;
}

@inline function keepBest(y: v128, l: v128, ll: v128, yl: v128): void {
  const spread = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shl(ll, 5), i32x4.mul(l, l)));
  const cross = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shl(yl, 5), i32x4.mul(y, l)));
  const scales = f32x4.div(cross, spread);
  const offsets = f32x4.mul(
    f32x4.sub(f32x4.convert_i32x4_s(y), f32x4.mul(scales, f32x4.convert_i32x4_s(l))),
    f32x4.splat(0.03125),
  );
  const lane = <usize>largestLane(f32x4.mul(cross, scales)) << 2;
  v128.store(sumsL, scales);
  v128.store(sumsL, offsets, 16);
  lineScale = load<f32>(sumsL + lane);
  lineMin = load<f32>(sumsL + lane, 16);
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

/** A line from the largest half that is not above the lowest value; returns its start. */
@inline function stretchLine(n: f32): f32 {
  const start = halfToFloat(halfBelow(lowest));
  lineScale = (highest - start) / n;
  return start;
}

/** Fits a line whose start is a binary16 number; returns the start. */
@inline function fitRoundedLine(values: usize, weights: usize, n: f32, trials: usize): f32 {
  storeRises(values, lowest);
  const span = highest - lowest;
  lineMin = 0;
  lineScale = 0;
  if (span >= smallestPeak) {
    if (weights) fitWeighted(weights, span, n);
    else fitPlain(span, n, trials);
  }
  const wanted = lineMin + lowest;
  const start = roundToHalf(wanted);
  if (abs(start - wanted) <= lineScale * 0.03125) {
    storeRises(values, start);
    return start;
  }
  const below = stretchLine(n);
  refitScale(values, weights, below, n);
  return below;
}

/** Clamping before rounding gives the same codes, and the conversion rounds. */
@inline function finalCodes(i: usize, inverse: v128, n: f32): v128 {
  const scaled = f32x4.mul(v128.load(rises + i), inverse);
  return toIntegers(f32x4.pmax(f32x4.splat(0), f32x4.pmin(f32x4.splat(n), scaled)));
}

@inline function packedCodes(i: usize, inverse: v128, n: f32): v128 {
  return narrow(
    finalCodes(i, inverse, n),
    finalCodes(i + 16, inverse, n),
    finalCodes(i + 32, inverse, n),
    finalCodes(i + 48, inverse, n),
  );
}

@inline function writeBlock(values: usize, weights: usize, out: usize, n: f32, trials: usize): void {
  findExtremes(values);
  let start: f32 = 0;
  lineScale = 0;
  if (highest > maxHalf || lowest < -maxHalf) {
    start = stretchLine(n);
    storeRises(values, start);
  } else if (highest >= smallestPeak || lowest <= -smallestPeak) {
    start = fitRoundedLine(values, weights, n, trials);
  } else storeRises(values, 0);
  const d = roundScale(lineScale);
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  const first = packedCodes(0, inverse, n);
  const second = packedCodes(64, inverse, n);
  store<u16>(out, bitsOfHalf(d));
  store<u16>(out, bitsOfHalf(start), 2);
  if (n == 31) storeFifthBits(first, second, out + 4);
  storeNibbles(first, second, n == 31 ? out + 8 : out + 4);
}

function writeQ4_1(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 15, q4Trials);
}

function writeQ5_1(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 31, q5Trials);
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
