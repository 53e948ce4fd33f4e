import { roundHalfEven } from '../../util/half-float.ts';

const { fround } = Math;

/** What `integersOf` makes of the peak: 12 bits with the sign. */
export const integerPeak = 2047;

/** Values as integers in units of peak / 2047. */
export function integersOf(values: Float32Array, peak: number): Int16Array {
  const inverse = fround(integerPeak / peak);
  return Int16Array.from(values, (x) => roundHalfEven(fround(x * inverse)));
}

/** x · multiplier / 2¹⁵ rounded to nearest, halves up: wasm's `i16x8.q15mulr_sat_s`. */
export function scaleInteger(x: number, multiplier: number): number {
  return (x * multiplier + 0x4000) >> 15;
}
