// Twin of src/kernels/scalar/symmetric.ts: Q4_0 and Q5_0.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { halfToFloat, scaleToHalf } from './half';
import { maxLanes, minLanes, narrow, sumLanes, toIntegers } from './simd';
import { storeFifthBits, storeNibbles } from './pack';
import { decode_Q4_0, decode_Q5_0 } from './decode-legacy';

const allTargets: usize = 16;
const unweightedTargets: usize = 4;
const refits = 2;

const q4Targets = memory.data<f32>([
  -8.1875, -8.625, 7.1875, -7.8125, -8.875, -6.875, -8, -8.375, -6.125, -7.625, -7.375, -9, -7.125,
  7.6875, 8.1875, -6.625,
]);
const q5Targets = memory.data<f32>([
  -15.875, 15.125, -16.375, -14.125, -15.8125, -14.6875, 13.125, -16.875, 14, 15.3125, -16.1875,
  -15.1875, 13.6875, -14.3125, 13.375, -16.625,
]);

let bestGain: f32 = 0;
let bestScale: f32 = 0;

@inline function codesAt(values: usize, inverse: v128, n: f32): v128 {
  const rounded = f32x4.nearest(f32x4.mul(v128.load(values), inverse));
  return f32x4.pmax(f32x4.splat(-n), f32x4.pmin(f32x4.splat(n - 1), rounded));
}

/** Tries the codes at `inverse` steps per unit; keeps their scale if it explains more. */
@inline function attempt(values: usize, weights: usize, inverse: f32, n: f32, weighted: bool): bool {
  const steps = f32x4.splat(inverse);
  let sumXL = f32x4.splat(0);
  let sumLL = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const code = codesAt(values + i, steps, n);
    const weighed = weighted ? f32x4.mul(code, v128.load(weights + i)) : code;
    sumXL = f32x4.add(sumXL, f32x4.mul(weighed, v128.load(values + i)));
    sumLL = f32x4.add(sumLL, f32x4.mul(weighed, code));
  }
  const xl = sumLanes(sumXL);
  const ll = sumLanes(sumLL);
  const gain: f32 = ll > 0 ? (xl * xl) / ll : 0;
  if (gain <= bestGain) return false;
  bestGain = gain;
  bestScale = ll > 0 ? xl / ll : <f32>1 / inverse;
  return true;
}

@inline function fitScale(values: usize, weights: usize, peak: f32, n: f32, targets: usize): f32 {
  bestGain = -1;
  if (weights) {
    for (let i: usize = 0; i < allTargets; i++)
      attempt(values, weights, load<f32>(targets + 4 * i) / peak, n, true);
    for (let round = 0; round < refits; round++)
      if (!attempt(values, weights, <f32>1 / bestScale, n, true)) break;
  } else {
    for (let i: usize = 0; i < unweightedTargets; i++)
      attempt(values, weights, load<f32>(targets + 4 * i) / peak, n, false);
  }
  return bestScale;
}

/** The weight of largest magnitude; of two equal ones the positive. */
@inline function signedPeak(values: usize): f32 {
  let highest = v128.load(values);
  let lowest = highest;
  for (let i: usize = 16; i < 128; i += 16) {
    const x = v128.load(values + i);
    highest = f32x4.pmax(highest, x);
    lowest = f32x4.pmin(lowest, x);
  }
  const high = maxLanes(highest);
  const low = minLanes(lowest);
  return high >= -low ? high : low;
}

@inline function unsignedCodes(values: usize, inverse: v128, n: f32): v128 {
  const a = toIntegers(codesAt(values, inverse, n));
  const b = toIntegers(codesAt(values + 16, inverse, n));
  const c = toIntegers(codesAt(values + 32, inverse, n));
  const d = toIntegers(codesAt(values + 48, inverse, n));
  return i8x16.add(narrow(a, b, c, d), i8x16.splat(<i8>n));
}

@inline function writeBlock(values: usize, weights: usize, out: usize, n: f32, targets: usize): void {
  const peak = signedPeak(values);
  const magnitude = abs(peak);
  let scale: f32 = 0;
  if (magnitude > maxHalf * n) scale = peak > 0 ? -maxHalf : maxHalf;
  else if (magnitude >= smallestPeak) scale = fitScale(values, weights, peak, n, targets);
  const half = scaleToHalf(scale);
  const d = halfToFloat(half);
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  const first = unsignedCodes(values, inverse, n);
  const second = unsignedCodes(values + 64, inverse, n);
  store<u16>(out, half);
  if (n == 16) storeFifthBits(first, second, out + 2);
  storeNibbles(first, second, n == 16 ? out + 6 : out + 2);
}

function writeQ4_0(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 8, q4Targets);
}

function writeQ5_0(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 16, q5Targets);
}

export function encode_Q4_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 32, 18, writeQ4_0, decode_Q4_0);
}

export function encode_Q5_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 32, 22, writeQ5_0, decode_Q5_0);
}
