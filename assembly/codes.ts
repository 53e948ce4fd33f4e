// Turns 16 small codes into 16 f32 values: what every block decoder ends with.

/** values[i] = scale * codes[i]; codes are signed bytes. */
@inline export function storeScaled(codes: v128, scale: f32, to: usize): void {
  const d = f32x4.splat(scale);
  const low = i16x8.extend_low_i8x16_s(codes);
  const high = i16x8.extend_high_i8x16_s(codes);
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))), 16);
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))), 32);
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))), 48);
}

@inline function line(codes: v128, d: v128, m: v128): v128 {
  return f32x4.add(f32x4.mul(d, f32x4.convert_i32x4_s(codes)), m);
}

/** values[i] = scale * codes[i] + offset, two roundings. */
@inline export function storeLine(codes: v128, scale: f32, offset: f32, to: usize): void {
  const d = f32x4.splat(scale);
  const m = f32x4.splat(offset);
  const low = i16x8.extend_low_i8x16_s(codes);
  const high = i16x8.extend_high_i8x16_s(codes);
  v128.store(to, line(i32x4.extend_low_i16x8_s(low), d, m));
  v128.store(to, line(i32x4.extend_high_i16x8_s(low), d, m), 16);
  v128.store(to, line(i32x4.extend_low_i16x8_s(high), d, m), 32);
  v128.store(to, line(i32x4.extend_high_i16x8_s(high), d, m), 48);
}

@inline export function lowNibbles(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(15));
}

@inline export function highNibbles(bytes: v128): v128 {
  return i8x16.shr_u(bytes, 4);
}

/** 16 in every byte whose bit is set in the 16 bits at `at`: bit j belongs to byte j. */
@inline export function fifthBits(at: usize): v128 {
  const bits = v128.shuffle<u8>(
    v128.load16_splat(at), i64x2.splat(0),
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
  );
  const selected = v128.and(
    bits,
    i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128),
  );
  return v128.andnot(i8x16.splat(16), i8x16.eq(selected, i64x2.splat(0)));
}

/** 2-bit codes number `shift / 2` of 16 bytes. */
@inline export function crumbs(bytes: v128, shift: i32): v128 {
  return v128.and(i8x16.shr_u(bytes, shift), i8x16.splat(3));
}
