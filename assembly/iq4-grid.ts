// The sixteen values of IQ4_NL and IQ4_XS; see src/kernels/scalar/iq4-grid.ts.
import { all, roundingShift } from './lanes';

/** How both IQ4 types search and weigh. */
export const iq4Ridge: f32 = 1.3;
export const iq4ImportanceRidge: f32 = 0.2;
export const iq4TargetCount: i32 = 12;
export const iq4Targets: usize = memory.data<f32>([
  -140, -132, -126, -120, -113, -104, 90, 98, 105, 111, 117, 125,
]);

// @ts-ignore: decorator
@inline
const roundingBits: i32 = 0x4b400000;

/** Packs four vectors of integers in f32, −128 … 127, into sixteen i8. */
// @ts-ignore: decorator
@inline
export function pack(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(integers(a), integers(b)),
    i16x8.narrow_i32x4_s(integers(c), integers(d)),
  );
}

/** Rounds each f32 lane (below 2^22) to an i32, ties to even. */
// @ts-ignore: decorator
@inline
function integers(value: v128): v128 {
  return i32x4.sub(f32x4.add(value, all(roundingShift)), i32x4.splat(roundingBits));
}

/**
 * Codes of sixteen integers −128 … 127: of each run of 16 integers at most one lies between two
 * codes, so a run has a lowest code and a threshold above which its integers have the next code.
 */
// @ts-ignore: decorator
@inline
export function codesOfIntegers(integers: v128): v128 {
  const run = i8x16.shr_u(integers, 4);
  const lowest = i8x16.swizzle(i8x16(8, 9, 11, 12, 13, 14, 14, 15, 0, 1, 1, 2, 3, 4, 5, 7), run);
  const threshold = i8x16.swizzle(
    i8x16(6, 18, 45, 60, 78, 127, 100, 127, -116, 127, -94, -75, -58, -43, -29, -5),
    run,
  );
  return i8x16.sub(lowest, i8x16.gt_s(integers, threshold));
}

/** Table values of sixteen codes. */
// @ts-ignore: decorator
@inline
export function valuesOf(codes: v128): v128 {
  return i8x16.swizzle(
    i8x16(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113),
    codes,
  );
}

const midpoints: usize = memory.data<f32>([
  -115.5, -93.5, -74, -57, -42, -28.5, -16, -4.5, 7, 19, 31.5, 45.5, 61, 79, 101,
]);

/** The i32 code nearest to each f32 ratio. */
function nearestCodes(ratio: v128): v128 {
  let codes = i32x4.splat(0);
  for (let at: usize = 0; at < 60; at += 4) {
    codes = i32x4.sub(codes, f32x4.ge(ratio, v128.load32_splat(midpoints + at)));
  }
  return codes;
}

/** The sixteen codes nearest to four vectors of ratios. */
export function nearestSixteen(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(nearestCodes(a), nearestCodes(b)),
    i16x8.narrow_i32x4_s(nearestCodes(c), nearestCodes(d)),
  );
}

/** Sixteen codes near to four vectors of ratios, found by rounding them to integers first. */
// @ts-ignore: decorator
@inline
export function snapSixteen(a: v128, b: v128, c: v128, d: v128): v128 {
  return codesOfIntegers(pack(limit(a), limit(b), limit(c), limit(d)));
}

// @ts-ignore: decorator
@inline
function limit(ratio: v128): v128 {
  return f32x4.pmin(f32x4.pmax(ratio, all(-128)), all(127));
}

/** Lanes 4·quarter … 4·quarter + 3 of sixteen i8, as f32. */
// @ts-ignore: decorator
@inline
export function quarterOf(values: v128, quarter: i32): v128 {
  const half = quarter < 2 ? i16x8.extend_low_i8x16_s(values) : i16x8.extend_high_i8x16_s(values);
  return f32x4.convert_i32x4_s(
    quarter & 1 ? i32x4.extend_high_i16x8_s(half) : i32x4.extend_low_i16x8_s(half),
  );
}
