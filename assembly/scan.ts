/** Index of the first NaN or infinity among `count` values, or -1. */
export function firstNonFinite(values: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let i = 0;
  for (; i + 16 <= count; i += 16) {
    const at = values + ((<usize>i) << 2);
    const bad = v128.or(
      v128.or(
        i32x4.eq(v128.and(v128.load(at), exponent), exponent),
        i32x4.eq(v128.and(v128.load(at, 16), exponent), exponent),
      ),
      v128.or(
        i32x4.eq(v128.and(v128.load(at, 32), exponent), exponent),
        i32x4.eq(v128.and(v128.load(at, 48), exponent), exponent),
      ),
    );
    if (v128.any_true(bad)) break;
  }
  for (; i < count; i++)
    if ((load<u32>(values + ((<usize>i) << 2)) & 0x7f800000) == 0x7f800000) return i;
  return -1;
}
