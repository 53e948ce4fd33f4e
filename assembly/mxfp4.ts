// Twin of src/kernels/scalar/mxfp4.ts.
import { encodeBlocks } from './encode';
import { narrow, peakOf32, sumLanes, toIntegers } from './simd';
import { storeNibbles } from './pack';
import { decode_MXFP4 } from './decode-nonlinear';

const lowestExponent = 2;
const highestExponent = 252;

/** The gap between levels around magnitudes: 1 below 4, 2 below 8, then 4. */
@inline function gapAt(magnitudes: v128): v128 {
  const power = v128.and(magnitudes, i32x4.splat(0x7f800000));
  const half = f32x4.mul(power, f32x4.splat(0.5));
  return f32x4.pmin(f32x4.splat(4), f32x4.pmax(f32x4.splat(1), half));
}

/** Nearest multiple of `gap` (a power of two), halfway down, in gaps. */
@inline function gapsIn(magnitudes: v128, gap: v128): v128 {
  const inverse = i32x4.sub(i32x4.splat(0x7f000000), gap);
  return f32x4.ceil(f32x4.sub(f32x4.mul(magnitudes, inverse), f32x4.splat(0.5)));
}

@inline function nearestLevel(magnitudes: v128): v128 {
  const gap = gapAt(magnitudes);
  return f32x4.pmin(f32x4.splat(12), f32x4.mul(gap, gapsIn(magnitudes, gap)));
}

/** 2^(128 - e). */
@inline function inverseOf(e: i32): f32 {
  return reinterpret<f32>((255 - e) << 23);
}

@inline function errorAt(values: usize, weights: usize, e: i32, weighted: bool): f32 {
  const inverse = f32x4.splat(inverseOf(e));
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const magnitude = f32x4.mul(f32x4.abs(v128.load(values + i)), inverse);
    const difference = f32x4.sub(magnitude, nearestLevel(magnitude));
    const square = f32x4.mul(difference, difference);
    sum = f32x4.add(sum, weighted ? f32x4.mul(square, v128.load(weights + i)) : square);
  }
  return sumLanes(sum);
}

let bestExponent = 0;
let bestError: f32 = 0;

@inline function attempt(values: usize, weights: usize, exponent: i32, factor: f32): void {
  const e = min(max(exponent, lowestExponent), highestExponent);
  const error = weights ? errorAt(values, weights, e, true) : errorAt(values, weights, e, false);
  if (error * factor >= bestError) return;
  bestError = error * factor;
  bestExponent = e;
}

@inline function fitExponent(values: usize, weights: usize, peak: f32): i32 {
  const usual = <i32>(reinterpret<u32>(peak) >>> 23) - 2;
  bestError = Infinity;
  attempt(values, weights, usual, 1);
  attempt(values, weights, usual + 1, 4);
  attempt(values, weights, usual - 1, 0.25);
  return bestExponent;
}

/** Codes 0 to 7 of the magnitudes, plus 8 where the value is below 0 and the code is not 0. */
@inline function codesOf(values: usize, inverse: v128): v128 {
  const x = v128.load(values);
  const level = nearestLevel(f32x4.mul(f32x4.abs(x), inverse));
  const gap = gapAt(level);
  const offset = f32x4.pmin(
    f32x4.splat(4),
    f32x4.mul(f32x4.sub(gap, f32x4.splat(1)), f32x4.splat(2)),
  );
  const code = toIntegers(f32x4.add(f32x4.mul(level, i32x4.sub(i32x4.splat(0x7f000000), gap)), offset));
  const isNegative = v128.and(f32x4.lt(x, f32x4.splat(0)), f32x4.gt(level, f32x4.splat(0)));
  return v128.or(code, v128.and(isNegative, i32x4.splat(8)));
}

@inline function codes16(values: usize, inverse: v128): v128 {
  return narrow(
    codesOf(values, inverse),
    codesOf(values + 16, inverse),
    codesOf(values + 32, inverse),
    codesOf(values + 48, inverse),
  );
}

function writeBlock(values: usize, weights: usize, out: usize): void {
  const peak = peakOf32(values);
  const e = peak == 0 ? 0 : fitExponent(values, weights, peak);
  const inverse = f32x4.splat(peak == 0 ? 0 : inverseOf(e));
  store<u8>(out, e);
  storeNibbles(codes16(values, inverse), codes16(values + 64, inverse), out + 1);
}

export function encode_MXFP4(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  encodeBlocks(values, rows, columns, importance, out, stats, 32, 17, writeBlock, decode_MXFP4);
}
