// Plain numbers to f32; twins of src/kernels/scalar/decode-numbers.ts.
import { halfToFloat, widenHalves } from './half';

export function decode_F32(bytes: usize, units: i32, values: usize): void {
  memory.copy(values, bytes, <usize>units << 2);
}

export function decode_F64(bytes: usize, units: i32, values: usize): void {
  for (const end = values + (<usize>units << 2); values < end; values += 4, bytes += 8)
    store<f32>(values, <f32>load<f64>(bytes));
}

export function decode_F16(bytes: usize, units: i32, values: usize): void {
  const end = values + (<usize>units << 2);
  for (const vectors = end - 28; values < vectors; values += 32, bytes += 16)
    widenHalves(v128.load(bytes), values);
  for (; values < end; values += 4, bytes += 2) store<f32>(values, halfToFloat(load<u16>(bytes)));
}

export function decode_BF16(bytes: usize, units: i32, values: usize): void {
  const end = values + (<usize>units << 2);
  const zero = i64x2.splat(0);
  for (const vectors = end - 28; values < vectors; values += 32, bytes += 16) {
    const halves = v128.load(bytes);
    v128.store(values, v128.shuffle<u16>(zero, halves, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(values, v128.shuffle<u16>(zero, halves, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
  for (; values < end; values += 4, bytes += 2)
    store<u32>(values, <u32>load<u16>(bytes) << 16);
}

/** An E5M2 number is the upper byte of a binary16. */
export function decode_F8_E5M2(bytes: usize, units: i32, values: usize): void {
  const end = values + (<usize>units << 2);
  for (const vectors = end - 28; values < vectors; values += 32, bytes += 8)
    widenHalves(i16x8.shl(v128.load8x8_u(bytes), 8), values);
  for (; values < end; values += 4, bytes++)
    store<f32>(values, halfToFloat(<u32>load<u8>(bytes) << 8));
}

/** Eight E4M3 numbers as binary16 numbers of 1/256 the size; NaN stays NaN. */
@inline function e4m3ToHalves(eight: v128): v128 {
  const magnitude = v128.and(eight, i16x8.splat(0x7f));
  const sign = i16x8.shl(v128.and(eight, i16x8.splat(0x80)), 8);
  const isNaN = i16x8.eq(magnitude, i16x8.splat(0x7f));
  return v128.or(v128.or(sign, i16x8.shl(magnitude, 7)), v128.and(isNaN, i16x8.splat(0x7fff)));
}

export function decode_F8_E4M3(bytes: usize, units: i32, values: usize): void {
  const end = values + (<usize>units << 2);
  const scale = f32x4.splat(256);
  for (const vectors = end - 28; values < vectors; values += 32, bytes += 8) {
    widenHalves(e4m3ToHalves(v128.load8x8_u(bytes)), values);
    v128.store(values, f32x4.mul(v128.load(values), scale));
    v128.store(values, f32x4.mul(v128.load(values, 16), scale), 16);
  }
  for (; values < end; values += 4, bytes++) {
    const half = i16x8.extract_lane_u(e4m3ToHalves(i16x8.splat(load<u8>(bytes))), 0);
    store<f32>(values, halfToFloat(half) * 256);
  }
}

export function decode_F8_E8M0(bytes: usize, units: i32, values: usize): void {
  for (const end = values + (<usize>units << 2); values < end; values += 4, bytes++) {
    const e = <u32>load<u8>(bytes);
    store<u32>(values, e == 0 ? 0x00400000 : e == 255 ? 0x7fc00000 : e << 23);
  }
}
