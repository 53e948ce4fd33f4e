// Final codes of a super-block in row order, from the original weights and the stored steps.
import { MIN_CODE, SCALE_CODE, groupAt } from './asymmetric-block';
import { maxCode, subLength } from './asymmetric-type';
import { all, limit, roundingShift } from './lanes';

/** 256 weight codes, and the scale and min code of up to 16 sub-blocks, one byte each. */
export const codes: usize = memory.data(256, 16);
export const scaleCodes: usize = memory.data(16);
export const minCodes: usize = memory.data(16);

/** Fills the three and adds Σ (x − x̂)² and Σ x² to the two f64 at `stats`. */
export function writeCodes(values: usize, step: f32, minStep: f32, stats: usize): void {
  const most = all(maxCode);
  const shift = all(roundingShift);
  let errorLow = f64x2.splat(0);
  let errorHigh = f64x2.splat(0);
  let normLow = f64x2.splat(0);
  let normHigh = f64x2.splat(0);
  let out = codes;
  for (let j = 0; j < 256 / subLength; j++) {
    const scale = step * subScale(j, SCALE_CODE, scaleCodes);
    const min = minStep * subScale(j, MIN_CODE, minCodes);
    const inverse: f32 = scale > 0 ? 1 / scale : 0;
    const offset = all(min * inverse);
    for (const end = out + subLength; out < end; out += 4) {
      const x = v128.load(values);
      const shifted = f32x4.add(limit(f32x4.add(f32x4.mul(x, all(inverse)), offset), most), shift);
      const decoded = f32x4.sub(f32x4.mul(all(scale), f32x4.sub(shifted, shift)), all(min));
      const error = f32x4.sub(x, decoded);
      errorLow = f64x2.add(errorLow, squareLow(error));
      errorHigh = f64x2.add(errorHigh, squareLow(highHalf(error)));
      normLow = f64x2.add(normLow, squareLow(x));
      normHigh = f64x2.add(normHigh, squareLow(highHalf(x)));
      v128.store32_lane(out, lowBytes(shifted), 0);
      values += 16;
    }
  }
  addLanes(stats, f64x2.add(errorLow, errorHigh));
  addLanes(stats + 8, f64x2.add(normLow, normHigh));
}

/** Copies a code of sub-block `index` from its group to `out`, and returns it. */
// @ts-ignore: decorator
@inline
function subScale(index: i32, field: usize, out: usize): f32 {
  const code = f32.load(groupAt(index >> 2) + (<usize>(index & 3) << 2) + field);
  store<u8>(out + index, <u32>code);
  return code;
}

/** Byte 0 of each lane, in the first lane: there a value plus `roundingShift` holds its integer. */
// @ts-ignore: decorator
@inline
function lowBytes(shifted: v128): v128 {
  return v128.shuffle<u8>(shifted, shifted, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
}

// @ts-ignore: decorator
@inline
function squareLow(value: v128): v128 {
  const wide = f64x2.promote_low_f32x4(value);
  return f64x2.mul(wide, wide);
}

// @ts-ignore: decorator
@inline
function highHalf(value: v128): v128 {
  return v128.shuffle<f32>(value, value, 2, 3, 2, 3);
}

// @ts-ignore: decorator
@inline
function addLanes(at: usize, value: v128): void {
  f64.store(at, f64.load(at) + (f64x2.extract_lane(value, 0) + f64x2.extract_lane(value, 1)));
}
