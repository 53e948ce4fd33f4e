// One block of up to 256 weights on its way to being quantized, divided by a power of two (`unit`) so
// that nothing over- or underflows. A group is four neighbouring sub-blocks, one in each f32 lane:
// sums over a sub-block never cross lanes. See src/kernels/scalar/fit-block.ts.
import { all, laneMax, laneSum, normalizer, transpose } from './lanes';

/** Divided weights in their own order. */
export const values: usize = memory.data(1024, 16);
/** Divided weights in groups: vector i of a group holds weight i of its four sub-blocks. */
export const grouped: usize = memory.data(2048, 16);
/** Bytes from a grouped weight to what its squared error counts. */
// @ts-ignore: decorator
@inline
export const toWeights: usize = 1024;

const relative: usize = memory.data(1024, 16);
const groupedRelative: usize = memory.data(1024, 16);

/** Divides `count` weights by their unit into `to`; returns 1 / unit. */
export function divide(source: usize, to: usize, count: i32): f32 {
  const inverse = normalizer(largest(source, count));
  const factor = all(inverse);
  for (let at: usize = 0; at < <usize>count * 4; at += 16) {
    v128.store(to + at, f32x4.mul(v128.load(source + at), factor));
  }
  return inverse;
}

function largest(source: usize, count: i32): f32 {
  const end = source + <usize>count * 4;
  let even = all(0);
  let odd = all(0);
  for (let at = source; at < end; at += 32) {
    even = f32x4.pmax(even, f32x4.abs(v128.load(at)));
    odd = f32x4.pmax(odd, f32x4.abs(v128.load(at, 16)));
  }
  return laneMax(f32x4.pmax(even, odd));
}

/** Σ x² of `count` divided weights, as sixteen interleaved partial sums. */
export function energyOf(source: usize, count: i32): f32 {
  const end = source + <usize>count * 4;
  let a = all(0);
  let b = all(0);
  let c = all(0);
  let d = all(0);
  for (let at = source; at < end; at += 64) {
    a = f32x4.add(a, square(v128.load(at)));
    b = f32x4.add(b, square(v128.load(at, 16)));
    c = f32x4.add(c, square(v128.load(at, 32)));
    d = f32x4.add(d, square(v128.load(at, 48)));
  }
  return laneSum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

// @ts-ignore: decorator
@inline
export function square(value: v128): v128 {
  return f32x4.mul(value, value);
}

/** Lays runs of `length` weights (a sub-block each) out in groups; `count` in all. */
export function group(from: usize, to: usize, length: i32, count: i32): void {
  const stride = <usize>length * 4;
  const end = from + <usize>count * 4;
  for (; from < end; from += 3 * stride) {
    const next = from + stride;
    for (; from < next; from += 16) {
      transpose(from, stride, to, 16);
      to += 64;
    }
  }
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
export function prepareImportance(importance: usize, size: i32, length: i32, count: i32, ridge: f32): void {
  const bytes = <usize>size * 4;
  for (let at: usize = 0; at < <usize>count * 4; at += bytes) {
    relate(importance + at, relative + at, size, ridge);
  }
  group(relative, groupedRelative, length, count);
}

function relate(importance: usize, to: usize, size: i32, ridge: f32): void {
  let sum: f64 = 0;
  for (let at: usize = 0; at < <usize>size * 4; at += 4) sum += <f64>load<f32>(importance + at);
  const mean = sum / <f64>size;
  for (let at: usize = 0; at < <usize>size * 4; at += 4) {
    const share = <f64>load<f32>(importance + at) / mean + <f64>ridge;
    store<f32>(to + at, mean > 0 ? <f32>share : 1);
  }
}
