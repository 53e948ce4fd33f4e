// Four neighbouring sub-blocks of a super-block are worked on at once, one in each f32 lane, so that
// sums over a sub-block never cross lanes and 2 x 2 systems are solved for four sub-blocks in one go.

/** Adding and subtracting 1.5 · 2^23 rounds an f32 below 2^22 to the nearest integer, ties to even. */
export const roundingShift: f32 = 12582912;

/** v128 of one f32 in all lanes. */
// @ts-ignore: decorator
@inline
export function all(value: f32): v128 {
  return f32x4.splat(value);
}

/** Rounds each lane to the nearest integer, ties to even. */
// @ts-ignore: decorator
@inline
export function round(value: v128): v128 {
  return f32x4.sub(f32x4.add(value, all(roundingShift)), all(roundingShift));
}

/** Limits each lane to 0 … `most`. */
// @ts-ignore: decorator
@inline
export function limit(value: v128, most: v128): v128 {
  return f32x4.pmin(f32x4.pmax(value, all(0)), most);
}

/** Lanes added in the order (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
export function laneSum(value: v128): f32 {
  const low = f32x4.extract_lane(value, 0) + f32x4.extract_lane(value, 1);
  return low + (f32x4.extract_lane(value, 2) + f32x4.extract_lane(value, 3));
}

/** The largest lane. */
// @ts-ignore: decorator
@inline
export function laneMax(value: v128): f32 {
  const low = max<f32>(f32x4.extract_lane(value, 0), f32x4.extract_lane(value, 1));
  return max<f32>(low, max<f32>(f32x4.extract_lane(value, 2), f32x4.extract_lane(value, 3)));
}

/** Stores element i … i + 3 of four rows `stride` bytes apart as four vectors `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function transpose(rows: usize, stride: usize, out: usize, step: usize): void {
  const a = v128.load(rows);
  const b = v128.load(rows + stride);
  const c = v128.load(rows + 2 * stride);
  const d = v128.load(rows + 3 * stride);
  const lowAb = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const highAb = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const lowCd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const highCd = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<f64>(lowAb, lowCd, 0, 2));
  v128.store(out + step, v128.shuffle<f64>(lowAb, lowCd, 1, 3));
  v128.store(out + 2 * step, v128.shuffle<f64>(highAb, highCd, 0, 2));
  v128.store(out + 3 * step, v128.shuffle<f64>(highAb, highCd, 1, 3));
}

/** 2^-e for the e with 2^e <= value < 2^(e+1), kept within 2^-126 … 2^126. */
// @ts-ignore: decorator
@inline
export function normalizer(value: f32): f32 {
  const exponent = <i32>(reinterpret<u32>(value) >> 23);
  return reinterpret<f32>(<u32>(254 - min(max(exponent, 1), 253)) << 23);
}
