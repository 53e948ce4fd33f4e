// Small vector helpers. Sums fold lanes as (s0 + s1) + (s2 + s3), as src/kernels/scalar/lanes.ts.

@inline export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 2);
}

// A scalar f32.min or f32.max compiles to branches that guess wrong half of the time: extremes are
// taken in vectors, and every lane of the result holds the answer.

@inline export function maxOfLanes(v: v128): v128 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 2, 3, 0, 1));
}

@inline export function minOfLanes(v: v128): v128 {
  const pairs = f32x4.pmin(v, v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return f32x4.pmin(pairs, v128.shuffle<f32>(pairs, pairs, 2, 3, 0, 1));
}

@inline export function firstLane(v: v128): f32 {
  return f32x4.extract_lane(v, 0);
}

/** Sums of four vectors of integers: lane k is the sum of vector k. */
@inline export function foldIntegers(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<u32>(a, b, 0, 4, 1, 5), v128.shuffle<u32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<u32>(c, d, 0, 4, 1, 5), v128.shuffle<u32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<u64>(ab, cd, 0, 2), v128.shuffle<u64>(ab, cd, 1, 3));
}

/** The first lane that holds the largest of four numbers. */
@inline export function largestLane(v: v128): u32 {
  const most = maxOfLanes(v);
  return ctz(i32x4.bitmask(f32x4.eq(v, most)));
}

@inline function magnitudes(values: usize, offset: usize): v128 {
  return f32x4.abs(v128.load(values + offset));
}

@inline function peakLanes(values: usize): v128 {
  const a = f32x4.pmax(magnitudes(values, 0), magnitudes(values, 16));
  const b = f32x4.pmax(magnitudes(values, 32), magnitudes(values, 48));
  const c = f32x4.pmax(magnitudes(values, 64), magnitudes(values, 80));
  const d = f32x4.pmax(magnitudes(values, 96), magnitudes(values, 112));
  return f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
}

/** Largest magnitude of 32 values. */
@inline export function peakOf32(values: usize): f32 {
  return firstLane(maxOfLanes(peakLanes(values)));
}

/** Largest magnitude of `count` (a multiple of 32) values. */
@inline export function peakOf(values: usize, count: i32): f32 {
  let peak = f32x4.splat(0);
  for (let end = values + (<usize>count << 2); values < end; values += 128)
    peak = f32x4.pmax(peak, peakLanes(values));
  return firstLane(maxOfLanes(peak));
}

@inline function highest(values: usize): v128 {
  const low = f32x4.pmax(v128.load(values), v128.load(values, 16));
  return f32x4.pmax(low, f32x4.pmax(v128.load(values, 32), v128.load(values, 48)));
}

@inline function lowest(values: usize): v128 {
  const low = f32x4.pmin(v128.load(values), v128.load(values, 16));
  return f32x4.pmin(low, f32x4.pmin(v128.load(values, 32), v128.load(values, 48)));
}

/** The highest of 32 values, in every lane. */
@inline export function highestOf32(values: usize): v128 {
  return maxOfLanes(f32x4.pmax(highest(values), highest(values + 64)));
}

/** The lowest of 32 values, in every lane. */
@inline export function lowestOf32(values: usize): v128 {
  return minOfLanes(f32x4.pmin(lowest(values), lowest(values + 64)));
}

/** Numbers of magnitude below 2^22 to the nearest integers, halves to even. */
@inline export function toIntegers(numbers: v128): v128 {
  return i32x4.sub(f32x4.add(numbers, f32x4.splat(12582912)), i32x4.splat(0x4b400000));
}

/** Four vectors of small integers to 16 bytes. */
@inline export function narrow(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Eight values at `at`, times `scale`, to the nearest 16-bit integers. */
@inline export function integersAt(at: usize, scale: v128): v128 {
  return i16x8.narrow_i32x4_s(
    toIntegers(f32x4.mul(v128.load(at), scale)),
    toIntegers(f32x4.mul(v128.load(at, 16), scale)),
  );
}
