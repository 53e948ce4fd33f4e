// Small vector helpers. Sums fold lanes as (s0 + s1) + (s2 + s3), as src/kernels/scalar/lanes.ts.

@inline export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 2);
}

@inline export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 2));
}

@inline export function minLanes(v: v128): f32 {
  const pairs = f32x4.min(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return min(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 2));
}

/** Largest magnitude of `count` (a multiple of 4) values. */
@inline export function peakOf(values: usize, count: i32): f32 {
  let peak = f32x4.splat(0);
  for (let end = values + (<usize>count << 2); values < end; values += 16)
    peak = f32x4.pmax(peak, f32x4.abs(v128.load(values)));
  return maxLanes(peak);
}

/** Rounded floats of magnitude below 2^22 to integers, faster than a saturating conversion. */
@inline export function toIntegers(rounded: v128): v128 {
  return i32x4.sub(
    f32x4.add(rounded, f32x4.splat(12582912)),
    i32x4.splat(0x4b400000),
  );
}

/** Four vectors of small integers to 16 bytes. */
@inline export function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}
