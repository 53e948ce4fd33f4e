// Twin of src/kernels/scalar/q2_0.ts.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, roundScale } from './half';
import { firstLane, highestOf32, lowestOf32, sumLanes, toIntegers } from './simd';
import { decode_Q2_0 } from './decode-legacy';

const targetCount: usize = 12;
const targets = memory.data<f32>([2, 2.5, 3, 1.75, 3.5, 2.25, -1, -1.5, -2, -2.5, 1, 1.375]);
const refits = 3;

let bestGain: f32 = 0;
let bestScale: f32 = 0;

@inline function codesAt(values: usize, inverse: v128): v128 {
  const rounded = f32x4.nearest(f32x4.mul(v128.load(values), inverse));
  return f32x4.pmax(f32x4.splat(-1), f32x4.pmin(f32x4.splat(2), rounded));
}

/** Tries the codes at `inverse` steps per unit; keeps their scale if it explains more. */
function attempt(values: usize, weights: usize, inverse: f32): bool {
  const steps = f32x4.splat(inverse);
  let sumXL = f32x4.splat(0);
  let sumLL = f32x4.splat(0);
  for (let i: usize = 0; i < 256; i += 16) {
    const codes = codesAt(values + i, steps);
    const weighed = weights ? f32x4.mul(codes, v128.load(weights + i)) : codes;
    sumXL = f32x4.add(sumXL, f32x4.mul(weighed, v128.load(values + i)));
    sumLL = f32x4.add(sumLL, f32x4.mul(weighed, codes));
  }
  const xl = sumLanes(sumXL);
  const ll = sumLanes(sumLL);
  const gain: f32 = ll > 0 ? (xl * xl) / ll : 0;
  if (gain <= bestGain) return false;
  bestGain = gain;
  bestScale = ll > 0 ? xl / ll : <f32>1 / inverse;
  return true;
}

@inline function fitScale(values: usize, weights: usize, peak: f32): f32 {
  bestGain = -1;
  bestScale = 0;
  for (let i: usize = 0; i < targetCount; i++)
    attempt(values, weights, load<f32>(targets + 4 * i) / peak);
  for (let round = 0; round < refits; round++)
    if (!attempt(values, weights, <f32>1 / bestScale)) break;
  return bestScale;
}

/** The weight of largest magnitude; of two equal ones the positive. */
@inline function signedPeak(values: usize): f32 {
  const high = f32x4.pmax(highestOf32(values), highestOf32(values + 128));
  const low = f32x4.pmin(lowestOf32(values), lowestOf32(values + 128));
  return firstLane(v128.bitselect(high, low, f32x4.ge(high, f32x4.neg(low))));
}

/** Four codes, two bits each. */
@inline function fourCodes(values: usize, inverse: v128): u32 {
  const codes = i32x4.add(toIntegers(codesAt(values, inverse)), i32x4.splat(1));
  return (
    i32x4.extract_lane(codes, 0) |
    (i32x4.extract_lane(codes, 1) << 2) |
    (i32x4.extract_lane(codes, 2) << 4) |
    (i32x4.extract_lane(codes, 3) << 6)
  );
}

function writeBlock(values: usize, weights: usize, out: usize): void {
  const peak = signedPeak(values);
  let scale: f32 = 0;
  if (abs(peak) > maxHalf * 2) scale = peak > 0 ? maxHalf : -maxHalf;
  else if (abs(peak) >= smallestPeak) scale = fitScale(values, weights, peak);
  const d = roundScale(scale);
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  store<u16>(out, bitsOfHalf(d));
  for (let byte: usize = 0; byte < 16; byte++)
    store<u8>(out + byte, fourCodes(values + 16 * byte, inverse), 2);
}

export function encode_Q2_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 64, 18, writeBlock, decode_Q2_0);
}
