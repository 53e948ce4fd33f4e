// Twin of src/kernels/scalar/ternary.ts: TQ1_0 and TQ2_0.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { halfToFloat, scaleToHalf } from './half';
import { narrow, peakOf, sumLanes } from './simd';
import { decode_TQ1_0, decode_TQ2_0 } from './decode-ternary';

const refits = 6;
const thresholdCount: usize = 8;
const thresholds = memory.data<f32>([
  0.5, 0.375, 0.28125, 0.21875, 0.171875, 0.125, 0.09375, 0.046875,
]);

/** The block's codes 0, 1, 2, a byte each. */
const codes = memory.data(256, 16);

let bestGain: f32 = 0;
let bestScale: f32 = 0;

@inline function attempt(values: usize, weights: usize, peak: f32, threshold: f32, weighted: bool): bool {
  const limit = f32x4.splat(threshold);
  const one = f32x4.splat(1);
  let sumWX = f32x4.splat(0);
  let sumW = f32x4.splat(0);
  for (let i: usize = 0; i < 1024; i += 16) {
    const magnitude = f32x4.abs(v128.load(values + i));
    const isKept = f32x4.gt(magnitude, limit);
    const weight = weighted ? v128.load(weights + i) : one;
    const weighed = weighted ? f32x4.mul(magnitude, weight) : magnitude;
    sumWX = f32x4.add(sumWX, v128.and(isKept, weighed));
    sumW = f32x4.add(sumW, v128.and(isKept, weight));
  }
  const wx = sumLanes(sumWX);
  const w = sumLanes(sumW);
  const gain: f32 = w > 0 ? (wx * wx) / w : 0;
  if (gain <= bestGain) return false;
  bestGain = gain;
  bestScale = w > 0 ? wx / w : peak;
  return true;
}

@inline function fitScale(values: usize, weights: usize, peak: f32, weighted: bool): f32 {
  bestGain = -1;
  for (let i: usize = 0; i < thresholdCount; i++)
    attempt(values, weights, peak, peak * load<f32>(thresholds + 4 * i), weighted);
  for (let round = 0; round < refits; round++)
    if (!attempt(values, weights, peak, bestScale * 0.5, weighted)) break;
  return bestScale;
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
    scale = weights
      ? fitScale(values, weights, peak, true)
      : fitScale(values, weights, peak, false);
  const half = scaleToHalf(scale);
  const limit: f32 = half == 0 ? Infinity : halfToFloat(half) * 0.5;
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
  return half;
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
