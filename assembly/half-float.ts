// IEEE binary16, as src/util/half-float.ts.

/** Widens binary16 bits to f32, exactly. */
export function f16ToF32(half: u32): f32 {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent == 0) {
    const magnitude = <f32>mantissa * <f32>5.9604644775390625e-8;
    return sign ? -magnitude : magnitude;
  }
  const widened = exponent == 31 ? 255 : exponent + 112;
  return reinterpret<f32>(sign | (widened << 23) | (mantissa << 13));
}

/** Rounds to the nearest binary16, ties to even, overflow to infinity; returns its 16 bits. */
export function f32ToF16(value: f32): u32 {
  const word = reinterpret<u32>(value);
  const sign = (word >> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | <u32>nearest<f32>(abs<f32>(value) * <f32>16777216);
  const rounded = magnitude + 0xfff + ((magnitude >> 13) & 1);
  return sign | ((rounded - 0x38000000) >> 13);
}
