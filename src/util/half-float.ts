const bits = new DataView(new ArrayBuffer(4));

/** Widens IEEE 754 binary16 bits to a number, exactly (subnormals, infinities and NaN included). */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** Rounds to the nearest binary16, ties to even, overflow to infinity; returns its 16 bits. */
export function f32ToF16(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(value) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** Widens bfloat16 bits to a number, exactly. */
export function bf16ToF32(half: number): number {
  bits.setUint32(0, half << 16);
  return bits.getFloat32(0);
}

/** Rounds to the nearest bfloat16, ties to even; NaN stays a quiet NaN; returns its 16 bits. */
export function f32ToBf16(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** Rounds to the nearest integer, ties to even, as C `nearbyint` and ggml's `nearest_int` do. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
