// Sums of squares over an encode call; twin of src/kernels/scalar/measure.ts.
import { sumLanes } from './simd';

/** Values decoded at a time, and summed in f32 before their sum joins the f64 total. */
const chunk = 256;
const decoded = memory.data(1024, 16);

let squaredError: f64 = 0;
let squaredNorm: f64 = 0;

type Decode = (bytes: usize, units: i32, values: usize) => void;

export function startError(): void {
  squaredError = 0;
  squaredNorm = 0;
}

@inline function square(v: v128): v128 {
  return f32x4.mul(v, v);
}

@inline function difference(values: usize, offset: usize): v128 {
  return f32x4.sub(v128.load(values + offset), v128.load(decoded + offset));
}

/** Adds a chunk's sums; `count` is a multiple of 8. False when the f32 sums are not to be trusted. */
@inline function addNarrow(values: usize, count: i32): bool {
  let evenError = f32x4.splat(0);
  let oddError = f32x4.splat(0);
  let evenNorm = f32x4.splat(0);
  let oddNorm = f32x4.splat(0);
  for (let i: usize = 0, end = <usize>count << 2; i < end; i += 32) {
    evenError = f32x4.add(evenError, square(difference(values, i)));
    oddError = f32x4.add(oddError, square(difference(values, i + 16)));
    evenNorm = f32x4.add(evenNorm, square(v128.load(values + i)));
    oddNorm = f32x4.add(oddNorm, square(v128.load(values + i, 16)));
  }
  const norm = sumLanes(f32x4.add(evenNorm, oddNorm));
  if (!(norm > <f32>1e-20 && norm < <f32>1e30)) return false;
  squaredNorm += <f64>norm;
  squaredError += <f64>sumLanes(f32x4.add(evenError, oddError));
  return true;
}

const lanes = memory.data(64, 8);

@inline function fold(at: usize): f64 {
  return load<f64>(at) + load<f64>(at, 8) + (load<f64>(at, 16) + load<f64>(at, 24));
}

/** The same in f64, one value after the other: for extreme values and odd lengths. */
function addWide(values: usize, count: i32): void {
  memory.fill(lanes, 0, 64);
  for (let i: usize = 0; i < <usize>count; i++) {
    const x = load<f32>(values + 4 * i);
    const gap = <f64>(x - load<f32>(decoded + 4 * i));
    const lane = lanes + 8 * (i & 3);
    store<f64>(lane, load<f64>(lane) + gap * gap);
    store<f64>(lane, load<f64>(lane, 32) + <f64>x * <f64>x, 32);
  }
  squaredError += fold(lanes);
  squaredNorm += fold(lanes + 32);
}

/** Decodes what was written for a row, in units of `width` values, and adds its error. */
export function addError(
  values: usize, count: i32, bytes: usize, width: i32, size: i32, decode: Decode,
): void {
  for (; count > 0; count -= chunk, values += chunk << 2) {
    const part = min(count, chunk);
    const units = part / width;
    decode(bytes, units, decoded);
    if ((part & 7) != 0 || !addNarrow(values, part)) addWide(values, part);
    bytes += units * size;
  }
}

export function finishError(stats: usize): void {
  store<f64>(stats, squaredError);
  store<f64>(stats, squaredNorm, 8);
}

/** The mean square of a row, at most 2^40. */
export function meanSquare(values: usize, count: i32): f32 {
  let sum01 = f64x2.splat(0);
  let sum23 = f64x2.splat(0);
  for (let at = values, end = values + (<usize>count << 2); at < end; at += 16) {
    const x = v128.load(at);
    const low = f64x2.promote_low_f32x4(x);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
    sum01 = f64x2.add(sum01, f64x2.mul(low, low));
    sum23 = f64x2.add(sum23, f64x2.mul(high, high));
  }
  const sum =
    f64x2.extract_lane(sum01, 0) +
    f64x2.extract_lane(sum01, 1) +
    (f64x2.extract_lane(sum23, 0) + f64x2.extract_lane(sum23, 1));
  return min(<f32>(sum / <f64>count), <f32>1099511627776);
}
