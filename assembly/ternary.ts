// Twin of src/kernels/scalar/ternary.ts: TQ1_0 and TQ2_0.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, roundScale } from './half';
import { foldIntegers, integersAt, narrow, peakOf, sumLanes } from './simd';
import { decode_TQ1_0, decode_TQ2_0 } from './decode-ternary';

const refits = 6;
const thresholdCount: usize = 4;
const thresholds = memory.data<f32>([0.5, 0.28125, 0.171875, 0.09375]);
const integerThresholdCount: usize = 8;
const integerThresholds = memory.data<i16>([511, 383, 287, 223, 175, 127, 95, 47]);
const integerPeak: f32 = 1023;

/** The block's magnitudes as integers. */
const integers = memory.data(512, 16);

/** The block's codes 0, 1, 2, a byte each. */
const codes = memory.data(256, 16);

let bestGain: f32 = 0;
let bestScale: f32 = 0;
let bestThreshold = 0;
let nextThreshold = 0;
let gainAbove: f32 = 0;
let scaleAbove: f32 = 0;

/** Least squares for the scale, given which weights are not 0. */
@inline function fitAbove(values: usize, weights: usize, threshold: f32, weighted: bool): void {
  const limit = f32x4.splat(threshold);
  const one = f32x4.splat(1);
  let sumWX = f32x4.splat(0);
  let sumW = f32x4.splat(0);
  for (let i: usize = 0; i < 1024; i += 32) {
    const first = f32x4.abs(v128.load(values + i));
    const second = f32x4.abs(v128.load(values + i, 16));
    const keepFirst = f32x4.gt(first, limit);
    const keepSecond = f32x4.gt(second, limit);
    const weightFirst = weighted ? v128.load(weights + i) : one;
    const weightSecond = weighted ? v128.load(weights + i, 16) : one;
    sumWX = f32x4.add(sumWX, v128.and(keepFirst, weighted ? f32x4.mul(first, weightFirst) : first));
    sumW = f32x4.add(sumW, v128.and(keepFirst, weightFirst));
    sumWX = f32x4.add(sumWX, v128.and(keepSecond, weighted ? f32x4.mul(second, weightSecond) : second));
    sumW = f32x4.add(sumW, v128.and(keepSecond, weightSecond));
  }
  const wx = sumLanes(sumWX);
  const w = sumLanes(sumW);
  gainAbove = w > 0 ? (wx * wx) / w : 0;
  scaleAbove = w > 0 ? wx / w : 0;
}

function attempt(values: usize, weights: usize, threshold: f32): bool {
  fitAbove(values, weights, threshold, true);
  if (gainAbove <= bestGain) return false;
  bestGain = gainAbove;
  bestScale = scaleAbove;
  return true;
}

@inline function fitWeighted(values: usize, weights: usize, peak: f32): f32 {
  bestGain = 0;
  bestScale = peak;
  for (let i: usize = 0; i < thresholdCount; i++)
    attempt(values, weights, peak * load<f32>(thresholds + 4 * i));
  for (let round = 0; round < refits; round++)
    if (!attempt(values, weights, bestScale * 0.5)) break;
  return bestScale;
}

function attemptIntegers(threshold: i32): bool {
  const limit = i16x8.splat(<i16>threshold);
  let sum = i64x2.splat(0);
  let count = i64x2.splat(0);
  for (let i: usize = 0; i < 512; i += 32) {
    const first = v128.load(integers + i);
    const second = v128.load(integers + i, 16);
    const keepFirst = i16x8.gt_s(first, limit);
    const keepSecond = i16x8.gt_s(second, limit);
    sum = i16x8.add(sum, v128.and(first, keepFirst));
    sum = i16x8.add(sum, v128.and(second, keepSecond));
    count = i16x8.sub(i16x8.sub(count, keepFirst), keepSecond);
  }
  const sums = i32x4.extadd_pairwise_i16x8_s(sum);
  const counts = i32x4.extadd_pairwise_i16x8_s(count);
  const folded = foldIntegers(sums, counts, sums, counts);
  const total = i32x4.extract_lane(folded, 0);
  const kept = i32x4.extract_lane(folded, 1);
  const gain = (<f32>total * <f32>total) / <f32>kept;
  if (!(gain > bestGain)) return false;
  bestGain = gain;
  bestThreshold = threshold;
  nextThreshold = total / (2 * kept);
  return true;
}

/** The same without weights: the threshold is searched on 10-bit integers. */
@inline function fitPlain(values: usize, peak: f32): f32 {
  const scale = f32x4.splat(integerPeak / peak);
  for (let i: usize = 0; i < 512; i += 16)
    v128.store(integers + i, i16x8.abs(integersAt(values + 2 * i, scale)));
  bestGain = 0;
  for (let i: usize = 0; i < integerThresholdCount; i++)
    attemptIntegers(load<i16>(integerThresholds + 2 * i));
  for (let round = 0; round < refits; round++) if (!attemptIntegers(nextThreshold)) break;
  fitAbove(values, 0, (<f32>bestThreshold + 0.5) * (peak / integerPeak), false);
  return scaleAbove;
}

/** 1 for magnitudes up to the threshold, else 0 or 2 by sign. */
@inline function codesOf(values: usize, threshold: v128): v128 {
  const x = v128.load(values);
  const above = f32x4.gt(x, threshold);
  const below = f32x4.lt(x, f32x4.neg(threshold));
  return i32x4.add(i32x4.sub(i32x4.splat(1), above), below);
}

/** Fits one block into `codes`; returns the bits of its scale. */
function fitBlock(values: usize, weights: usize): u32 {
  const peak = peakOf(values, 256);
  let scale: f32 = 0;
  if (peak > maxHalf * 16) scale = maxHalf;
  else if (peak >= smallestPeak)
    scale = weights ? fitWeighted(values, weights, peak) : fitPlain(values, peak);
  const d = roundScale(scale);
  const limit: f32 = d == 0 ? Infinity : d * 0.5;
  const threshold = f32x4.splat(limit);
  for (let i: usize = 0; i < 256; i += 16) {
    const at = values + 4 * i;
    const packed = narrow(
      codesOf(at, threshold),
      codesOf(at + 16, threshold),
      codesOf(at + 32, threshold),
      codesOf(at + 48, threshold),
    );
    v128.store(codes + i, packed);
  }
  return bitsOfHalf(d);
}

/** Five base-3 digits a byte: byte m takes codes m, m + stride, ... from `from` on. */
@inline function digitsOf(from: usize, stride: usize): v128 {
  let digits = v128.load(from);
  for (let n = 1; n < 5; n++) {
    from += stride;
    digits = i8x16.add(i8x16.add(digits, i8x16.add(digits, digits)), v128.load(from));
  }
  return digits;
}

/** ceil(digits * 256 / 243) for `count` bytes in place. */
@inline function spreadDigits(at: usize, count: usize): void {
  for (const end = at + count; at < end; at++)
    store<u8>(at, ((<u32>load<u8>(at) << 8) + 242) / 243);
}

function writeTQ1_0(values: usize, weights: usize, out: usize): void {
  const half = fitBlock(values, weights);
  v128.store(out, digitsOf(codes, 32));
  v128.store(out, digitsOf(codes + 16, 32), 16);
  v128.store(out, digitsOf(codes + 160, 16), 32);
  for (let m: usize = 0; m < 4; m++) {
    let digits: u32 = 0;
    for (let n: usize = 0; n < 4; n++) digits = 3 * digits + load<u8>(codes + 240 + 4 * n + m);
    store<u8>(out + 48 + m, 3 * digits);
  }
  spreadDigits(out, 52);
  store<u16>(out, half, 52);
}

@inline function fourCodes(from: usize): v128 {
  return v128.or(
    v128.or(v128.load(from), i8x16.shl(v128.load(from, 32), 2)),
    v128.or(i8x16.shl(v128.load(from, 64), 4), i8x16.shl(v128.load(from, 96), 6)),
  );
}

function writeTQ2_0(values: usize, weights: usize, out: usize): void {
  const half = fitBlock(values, weights);
  v128.store(out, fourCodes(codes));
  v128.store(out, fourCodes(codes + 16), 16);
  v128.store(out, fourCodes(codes + 128), 32);
  v128.store(out, fourCodes(codes + 144), 48);
  store<u16>(out, half, 64);
}

export function encode_TQ1_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 256, 54, writeTQ1_0, decode_TQ1_0);
}

export function encode_TQ2_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 256, 66, writeTQ2_0, decode_TQ2_0);
}
