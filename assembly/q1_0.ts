// Twin of src/kernels/scalar/q1_0.ts.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, roundScale } from './half';
import { peakOf, sumLanes } from './simd';
import { decode_Q1_0 } from './decode-legacy';

function meanMagnitude(values: usize): f32 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 512; i += 16) sum = f32x4.add(sum, f32x4.abs(v128.load(values + i)));
  return min(sumLanes(sum) / 128, maxHalf);
}

/** Bit i is set where weight i is not below 0. */
@inline function fourSigns(values: usize): u32 {
  return i32x4.bitmask(f32x4.ge(v128.load(values), f32x4.splat(0)));
}

function writeBlock(values: usize, weights: usize, out: usize): void {
  const scale: f32 = peakOf(values, 128) < smallestPeak ? 0 : meanMagnitude(values);
  store<u16>(out, bitsOfHalf(roundScale(scale)));
  for (let byte: usize = 0; byte < 16; byte++) {
    const at = values + 32 * byte;
    store<u8>(out + byte, fourSigns(at) | (fourSigns(at + 16) << 4), 2);
  }
}

export function encode_Q1_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, 0, out, stats, 128, 18, writeBlock, decode_Q1_0);
}
