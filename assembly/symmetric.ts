// Twin of src/kernels/scalar/symmetric.ts: Q4_0 and Q5_0.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, roundScale } from './half';
import {
  firstLane, foldIntegers, highestOf32, integersAt, largestLane, lowestOf32, narrow, sumLanes,
  toIntegers,
} from './simd';
import { storeFifthBits, storeNibbles } from './pack';
import { decode_Q4_0, decode_Q5_0 } from './decode-legacy';

const allTargets: usize = 16;
const refits = 2;

const q4Targets = memory.data<f32>([
  -8.1875, -8.625, 7.1875, -7.8125, -8.875, -6.875, -8, -8.375, -6.125, -7.625, -7.375, -9, -7.125,
  7.6875, 8.1875, -6.625,
]);
const q5Targets = memory.data<f32>([
  -15.875, 15.125, -16.375, -14.125, -15.8125, -14.6875, 13.125, -16.875, 14, 15.3125, -16.1875,
  -15.1875, 13.6875, -14.3125, 13.375, -16.625,
]);

/** The search on integers; of eight, trials k and k + 4 share a lane; of three, the last has two lanes. */
const q4Multipliers = memory.data<i16>([-131, -138, 115]);
const q5Multipliers = memory.data<i16>([-258, -263, -253, 210, -243, -226, -237, -267]);
const integerPeak: f32 = 2047;

let bestGain: f32 = 0;
let bestScale: f32 = 0;

@inline function codesAt(values: usize, inverse: v128, n: f32): v128 {
  const rounded = f32x4.nearest(f32x4.mul(v128.load(values), inverse));
  return f32x4.pmax(f32x4.splat(-n), f32x4.pmin(f32x4.splat(n - 1), rounded));
}

@inline function weigh(codes: v128, weights: usize): v128 {
  return f32x4.mul(codes, v128.load(weights));
}

@inline function times(a: v128, values: usize): v128 {
  return f32x4.mul(a, v128.load(values));
}

/** Tries the codes at `inverse` steps per unit; keeps their scale if it explains more. */
function attempt(values: usize, weights: usize, inverse: f32, n: f32): bool {
  const steps = f32x4.splat(inverse);
  let sumXL = f32x4.splat(0);
  let sumLL = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 32) {
    const first = codesAt(values + i, steps, n);
    const second = codesAt(values + i + 16, steps, n);
    const weighedFirst = weigh(first, weights + i);
    const weighedSecond = weigh(second, weights + i + 16);
    sumXL = f32x4.add(sumXL, times(weighedFirst, values + i));
    sumLL = f32x4.add(sumLL, f32x4.mul(weighedFirst, first));
    sumXL = f32x4.add(sumXL, times(weighedSecond, values + i + 16));
    sumLL = f32x4.add(sumLL, f32x4.mul(weighedSecond, second));
  }
  const xl = sumLanes(sumXL);
  const ll = sumLanes(sumLL);
  const gain: f32 = ll > 0 ? (xl * xl) / ll : 0;
  if (gain <= bestGain) return false;
  bestGain = gain;
  bestScale = ll > 0 ? xl / ll : <f32>1 / inverse;
  return true;
}

@inline function fitWeighted(values: usize, weights: usize, peak: f32, n: f32, targets: usize): f32 {
  bestGain = -1;
  for (let i: usize = 0; i < allTargets; i++)
    attempt(values, weights, load<f32>(targets + 4 * i) / peak, n);
  for (let round = 0; round < refits; round++)
    if (!attempt(values, weights, <f32>1 / bestScale, n)) break;
  return bestScale;
}

@inline function integerCodes(x: v128, multiplier: v128, n: f32): v128 {
  const scaled = i16x8.q15mulr_sat_s(x, multiplier);
  return i16x8.max_s(i16x8.splat(<i16>-n), i16x8.min_s(i16x8.splat(<i16>(n - 1)), scaled));
}

@inline function addFour(a: v128, b: v128, c: v128, d: v128): v128 {
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

// Both sums of a trial ask for its codes; the compiler computes them once.

/** Σ x l of a trial, in four parts. */
@inline function sumXL(a: v128, b: v128, c: v128, d: v128, multiplier: v128, n: f32): v128 {
  return addFour(
    i32x4.dot_i16x8_s(a, integerCodes(a, multiplier, n)),
    i32x4.dot_i16x8_s(b, integerCodes(b, multiplier, n)),
    i32x4.dot_i16x8_s(c, integerCodes(c, multiplier, n)),
    i32x4.dot_i16x8_s(d, integerCodes(d, multiplier, n)),
  );
}

@inline function squareSums(codes: v128): v128 {
  return i32x4.dot_i16x8_s(codes, codes);
}

/** Σ l² of a trial, in four parts. */
@inline function sumLL(a: v128, b: v128, c: v128, d: v128, multiplier: v128, n: f32): v128 {
  return addFour(
    squareSums(integerCodes(a, multiplier, n)),
    squareSums(integerCodes(b, multiplier, n)),
    squareSums(integerCodes(c, multiplier, n)),
    squareSums(integerCodes(d, multiplier, n)),
  );
}

/** The sums of four trials, a lane each. */
@inline function fourXL(a: v128, b: v128, c: v128, d: v128, m: usize, n: f32): v128 {
  const third = sumXL(a, b, c, d, v128.load16_splat(m, 4), n);
  const sums = foldIntegers(
    sumXL(a, b, c, d, v128.load16_splat(m), n),
    sumXL(a, b, c, d, v128.load16_splat(m, 2), n),
    third,
    n == 8 ? third : sumXL(a, b, c, d, v128.load16_splat(m, 6), n),
  );
  return f32x4.convert_i32x4_s(sums);
}

@inline function fourLL(a: v128, b: v128, c: v128, d: v128, m: usize, n: f32): v128 {
  const third = sumLL(a, b, c, d, v128.load16_splat(m, 4), n);
  const sums = foldIntegers(
    sumLL(a, b, c, d, v128.load16_splat(m), n),
    sumLL(a, b, c, d, v128.load16_splat(m, 2), n),
    third,
    n == 8 ? third : sumLL(a, b, c, d, v128.load16_splat(m, 6), n),
  );
  return f32x4.convert_i32x4_s(sums);
}

const fourScales = memory.data(16, 16);

/** The same without weights, on 12-bit integers, all trials at once. */
@inline function fitPlain(values: usize, peak: f32, n: f32, multipliers: usize): f32 {
  const scale = f32x4.splat(integerPeak / peak);
  const a = integersAt(values, scale);
  const b = integersAt(values + 32, scale);
  const c = integersAt(values + 64, scale);
  const d = integersAt(values + 96, scale);
  const xl = fourXL(a, b, c, d, multipliers, n);
  let scales = f32x4.div(xl, fourLL(a, b, c, d, multipliers, n));
  let gains = f32x4.mul(xl, scales);
  if (n == 16) {
    const moreXL = fourXL(a, b, c, d, multipliers + 8, n);
    const moreScales = f32x4.div(moreXL, fourLL(a, b, c, d, multipliers + 8, n));
    const moreGains = f32x4.mul(moreXL, moreScales);
    const isMore = f32x4.gt(moreGains, gains);
    scales = v128.bitselect(moreScales, scales, isMore);
    gains = v128.bitselect(moreGains, gains, isMore);
  }
  v128.store(fourScales, scales);
  return load<f32>(fourScales + (<usize>largestLane(gains) << 2)) * (peak / integerPeak);
}

/** The weight of largest magnitude; of two equal ones the positive. */
@inline function signedPeak(values: usize): f32 {
  const high = highestOf32(values);
  const low = lowestOf32(values);
  return firstLane(v128.bitselect(high, low, f32x4.ge(high, f32x4.neg(low))));
}

/** Clamping before rounding gives the same codes, and the conversion rounds. */
@inline function finalCodes(values: usize, inverse: v128, n: f32): v128 {
  const scaled = f32x4.mul(v128.load(values), inverse);
  return toIntegers(f32x4.pmax(f32x4.splat(-n), f32x4.pmin(f32x4.splat(n - 1), scaled)));
}

@inline function unsignedCodes(values: usize, inverse: v128, n: f32): v128 {
  const a = finalCodes(values, inverse, n);
  const b = finalCodes(values + 16, inverse, n);
  const c = finalCodes(values + 32, inverse, n);
  const d = finalCodes(values + 48, inverse, n);
  return i8x16.add(narrow(a, b, c, d), i8x16.splat(<i8>n));
}

@inline function writeBlock(values: usize, weights: usize, out: usize, n: f32, targets: usize, multipliers: usize,
): void {
  const peak = signedPeak(values);
  const magnitude = abs(peak);
  let scale: f32 = 0;
  if (magnitude > maxHalf * n) scale = peak > 0 ? -maxHalf : maxHalf;
  else if (magnitude >= smallestPeak)
    scale = weights
      ? fitWeighted(values, weights, peak, n, targets)
      : fitPlain(values, peak, n, multipliers);
  const d = roundScale(scale);
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  const first = unsignedCodes(values, inverse, n);
  const second = unsignedCodes(values + 64, inverse, n);
  store<u16>(out, bitsOfHalf(d));
  if (n == 16) storeFifthBits(first, second, out + 2);
  storeNibbles(first, second, n == 16 ? out + 6 : out + 2);
}

function writeQ4_0(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 8, q4Targets, q4Multipliers);
}

function writeQ5_0(values: usize, weights: usize, out: usize): void {
  writeBlock(values, weights, out, 16, q5Targets, q5Multipliers);
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
