// Twins of src/kernels/scalar/numbers.ts.
import { addError, finishError, startError } from './error';
import { nearestHalf, narrowToHalves } from './half';
import { decode_BF16, decode_F16, decode_F32 } from './decode-numbers';

type Decode = (bytes: usize, units: i32, values: usize) => void;

@inline function measure(
  values: usize, rows: i32, columns: i32, out: usize, size: i32, decode: Decode, stats: usize,
): void {
  startError();
  for (let row = 0; row < rows; row++) {
    addError(values, columns, out, 1, size, decode);
    values += <usize>columns << 2;
    out += columns * size;
  }
  finishError(stats);
}

@inline function clampTo(values: v128, limit: f32): v128 {
  return f32x4.pmax(f32x4.splat(-limit), f32x4.pmin(f32x4.splat(limit), values));
}

export function encode_F32(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  memory.copy(out, values, <usize>(rows * columns) << 2);
  measure(values, rows, columns, out, 4, decode_F32, stats);
}

export function encode_F16(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  const count = rows * columns;
  let at = values;
  let to = out;
  const end = values + (<usize>count << 2);
  for (const vectors = end - 28; at < vectors; at += 32, to += 16) {
    const low = narrowToHalves(clampTo(v128.load(at), 65504));
    const high = narrowToHalves(clampTo(v128.load(at, 16), 65504));
    v128.store(to, i16x8.narrow_i32x4_u(low, high));
  }
  for (; at < end; at += 4, to += 2) store<u16>(to, nearestHalf(load<f32>(at)));
  measure(values, rows, columns, out, 2, decode_F16, stats);
}

const maxBf16: f32 = 3.3895313892515355e38;

@inline function roundToBf16(values: v128): v128 {
  const odd = v128.and(i32x4.shr_u(values, 16), i32x4.splat(1));
  return i32x4.shr_u(i32x4.add(i32x4.add(values, i32x4.splat(0x7fff)), odd), 16);
}

export function encode_BF16(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  const count = rows * columns;
  let at = values;
  let to = out;
  const end = values + (<usize>count << 2);
  for (const vectors = end - 28; at < vectors; at += 32, to += 16) {
    const low = roundToBf16(clampTo(v128.load(at), maxBf16));
    const high = roundToBf16(clampTo(v128.load(at, 16), maxBf16));
    v128.store(to, i16x8.narrow_i32x4_u(low, high));
  }
  for (; at < end; at += 4, to += 2) {
    const rounded = roundToBf16(clampTo(f32x4.splat(load<f32>(at)), maxBf16));
    store<u16>(to, i32x4.extract_lane(rounded, 0));
  }
  measure(values, rows, columns, out, 2, decode_BF16, stats);
}
