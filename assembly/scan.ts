@inline function doubled(at: usize, offset: usize): v128 {
  const bits = v128.load(at + offset);
  return i32x4.add(bits, bits);
}

/** Twice the bits drop the sign; what is not finite is then at least this, as an unsigned number. */
const firstNotFinite: i32 = 0xff000000;

/** Index of the first NaN or infinity among `count` values, or -1. */
export function firstNonFinite(values: usize, count: i32): i32 {
  let i = 0;
  for (; i + 32 <= count; i += 32) {
    const at = values + (<usize>i << 2);
    const a = i32x4.max_u(doubled(at, 0), doubled(at, 16));
    const b = i32x4.max_u(doubled(at, 32), doubled(at, 48));
    const c = i32x4.max_u(doubled(at, 64), doubled(at, 80));
    const d = i32x4.max_u(doubled(at, 96), doubled(at, 112));
    const most = i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d));
    if (v128.any_true(i32x4.ge_u(most, i32x4.splat(firstNotFinite)))) break;
  }
  for (; i < count; i++)
    if ((load<u32>(values + (<usize>i << 2)) & 0x7f800000) == 0x7f800000) return i;
  return -1;
}
