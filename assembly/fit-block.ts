// One block of up to 256 weights on its way to being quantized, divided by a power of two (`unit`)
// so that nothing over- or underflows. A group is four neighbouring sub-blocks, one in each f32
// lane: sums over a sub-block never cross lanes. See src/kernels/scalar/fit-block.ts.
import { all, normalizer, transpose } from './lanes';
import { firstLane, maxOfLanes } from './simd';

/** Divided weights in groups: vector i of a group holds weight i of its four sub-blocks. */
export const grouped: usize = memory.data(2048, 16);
/** Bytes from a grouped weight to what its squared error counts. */
// @ts-ignore: decorator
@inline
export const toWeights: usize = 1024;

const relative: usize = memory.data(1024, 16);
const groupedRelative: usize = memory.data(1024, 16);

/** 1 / unit of `count` weights: the normalizer of their largest magnitude. */
export function inverseUnitOf(source: usize, count: i32): f32 {
  return normalizer(largest(source, count));
}

function largest(source: usize, count: i32): f32 {
  const end = source + <usize>count * 4;
  let even = all(0);
  let odd = all(0);
  for (let at = source; at < end; at += 32) {
    even = f32x4.pmax(even, f32x4.abs(v128.load(at)));
    odd = f32x4.pmax(odd, f32x4.abs(v128.load(at, 16)));
  }
  return firstLane(maxOfLanes(f32x4.pmax(even, odd)));
}

// @ts-ignore: decorator
@inline
function square(value: v128): v128 {
  return f32x4.mul(value, value);
}

/**
 * Multiplies `count` weights with `factors` and lays runs of `length` (a sub-block each) out in
 * groups. The factor of lane i is for sub-blocks i, i + 4, …; returns Σ x² of each lane.
 */
export function layOut(source: usize, length: i32, count: i32, factors: v128): v128 {
  const stride = <usize>length * 4;
  const end = source + <usize>count * 4;
  let to = grouped;
  let a = all(0);
  let b = all(0);
  let c = all(0);
  let d = all(0);
  for (; source < end; source += 3 * stride) {
    const next = source + stride;
    for (; source < next; source += 16) {
      transpose(source, stride, to, 16);
      a = f32x4.add(a, square(scaled(to, factors)));
      b = f32x4.add(b, square(scaled(to + 16, factors)));
      c = f32x4.add(c, square(scaled(to + 32, factors)));
      d = f32x4.add(d, square(scaled(to + 48, factors)));
      to += 64;
    }
  }
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}

/** Multiplies a vector in place; returns it. */
// @ts-ignore: decorator
@inline
function scaled(at: usize, factors: v128): v128 {
  const value = f32x4.mul(v128.load(at), factors);
  v128.store(at, value);
  return value;
}

/** Weighs errors of `count` grouped weights with x², plus `ridge` times the mean of each lane. */
export function weighBySquare(count: i32, mean: v128, ridge: f32): void {
  const floor = f32x4.mul(all(ridge), mean);
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    const from = grouped + at;
    v128.store(from, f32x4.add(square(v128.load(from)), floor), toWeights);
  }
}

/** Weighs errors of `count` grouped weights with importance · sqrt(2·mean + x²). */
export function weighByBoth(count: i32, mean: v128): void {
  const variance = f32x4.add(mean, mean);
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    const from = grouped + at;
    const root = f32x4.sqrt(f32x4.add(variance, square(v128.load(from))));
    v128.store(from, f32x4.mul(v128.load(groupedRelative + at), root), toWeights);
  }
}

/** Weighs errors of `count` grouped weights with importance alone. */
export function weighByImportance(count: i32): void {
  memory.copy(grouped + toWeights, groupedRelative, <usize>count * 4);
}

/** Divides importance by the mean of each run of `size` columns and adds `ridge`, in groups. */
export function prepareImportance(
  importance: usize,
  size: i32,
  length: i32,
  count: i32,
  ridge: f32,
): void {
  const bytes = <usize>size * 4;
  for (let at: usize = 0; at < <usize>count * 4; at += bytes) {
    relate(importance + at, relative + at, size, ridge);
  }
  const stride = <usize>length * 4;
  let to = groupedRelative;
  for (let run: usize = 0; run < <usize>count * 4; run += 4 * stride) {
    for (let at: usize = 0; at < stride; at += 16) {
      transpose(relative + run + at, stride, to, 16);
      to += 64;
    }
  }
}

function relate(importance: usize, to: usize, size: i32, ridge: f32): void {
  let sum: f64 = 0;
  for (let at: usize = 0; at < <usize>size * 4; at += 4) sum += <f64>load<f32>(importance + at);
  const mean = sum / <f64>size;
  for (let at: usize = 0; at < <usize>size * 4; at += 4) {
    const share = mean > 0 ? <f64>load<f32>(importance + at) / mean : 1;
    store<f32>(to + at, <f32>(share + <f64>ridge));
  }
}
