// Twin of src/kernels/scalar/q8_0.ts.
import { encodeBlocks, maxHalf, smallestPeak } from './encode';
import { bitsOfHalf, roundScale } from './half';
import { narrow, peakOf32, toIntegers } from './simd';
import { decode_Q8_0 } from './decode-legacy';

const smallestNormalHalf: f32 = 0.00006103515625;

/** Nearest integers of numbers in -127…127, half away from zero. */
@inline function roundHalfAway(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const half = v128.or(sign, i32x4.splat(0x3effffff));
  return toIntegers(f32x4.trunc(f32x4.add(x, half)));
}

@inline function codes(values: usize, inverse: v128): v128 {
  const scaled = f32x4.mul(v128.load(values), inverse);
  return roundHalfAway(f32x4.pmax(f32x4.splat(-127), f32x4.pmin(f32x4.splat(127), scaled)));
}

@inline function sixteenCodes(values: usize, inverse: v128): v128 {
  return narrow(
    codes(values, inverse),
    codes(values + 16, inverse),
    codes(values + 32, inverse),
    codes(values + 48, inverse),
  );
}

function writeBlock(values: usize, weights: usize, out: usize): void {
  const peak = peakOf32(values);
  const exact: f32 = peak < smallestPeak ? 0 : peak / 127;
  const rounded = roundScale(exact);
  const isNormal = exact >= smallestNormalHalf && exact <= maxHalf;
  const d = isNormal ? exact : rounded;
  const inverse = f32x4.splat(d == 0 ? 0 : <f32>1 / d);
  store<u16>(out, bitsOfHalf(rounded));
  v128.store(out, sixteenCodes(values, inverse), 2);
  v128.store(out, sixteenCodes(values + 64, inverse), 18);
}

export function encode_Q8_0(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, 0, out, stats, 32, 34, writeBlock, decode_Q8_0);
}
