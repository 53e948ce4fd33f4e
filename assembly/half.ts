// binary16 and bfloat16, as src/util/half-float.ts and src/kernels/scalar/encoder.ts.

/** Widens binary16 bits, exactly. */
export function halfToFloat(half: u32): f32 {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  // By way of an integer: arithmetic on a subnormal f32 takes the processor over a hundred cycles.
  if (magnitude < 0x0400) {
    return reinterpret<f32>(sign | reinterpret<u32>(<f32><i32>magnitude * <f32>5.9604644775390625e-8));
  }
  if (magnitude >= 0x7c00) return reinterpret<f32>(sign | (magnitude << 13) | 0x7f800000);
  return reinterpret<f32>(sign | ((magnitude << 13) + 0x38000000));
}

/** The binary16 number at an address. */
@inline export function loadHalf(at: usize): f32 {
  const half = <u32>load<u16>(at);
  if ((half & 0x7fff) - 0x0400 >= 0x7800) return halfToFloat(half);
  return reinterpret<f32>(((half & 0x8000) << 16) | (((half & 0x7fff) << 13) + 0x38000000));
}

/** Rounds a finite number of magnitude at most 65504 to binary16, ties to even. */
function floatToHalf(value: f32): u32 {
  const word = reinterpret<u32>(value);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude < 0x38800000)
    return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + <f32>0.5) - 0x3f000000);
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

/** The nearest finite binary16 number, as its bits. */
export function nearestHalf(value: f32): u32 {
  return floatToHalf(min(max(value, <f32>-65504), <f32>65504));
}

/** The largest binary16 number that is not above `value` (-65504 if there is none). */
export function halfBelow(value: f32): u32 {
  const half = nearestHalf(value);
  if (halfToFloat(half) <= value || half == 0xfbff) return half;
  return half & 0x8000 ? half + 1 : half - 1;
}

/** As nearestHalf, but only 0 becomes 0. */
export function scaleToHalf(scale: f32): u32 {
  const half = nearestHalf(scale);
  return (half & 0x7fff) == 0 && scale != 0 ? half | 1 : half;
}

/** Whether a number lies in 2^-14 ... 65504 or the same below 0, where halves are normal. */
@inline function isNormalHalf(word: u32): bool {
  return (word & 0x7fffffff) - 0x38800000 <= 0x477fe000 - 0x38800000;
}

/** The value of scaleToHalf(scale). */
@inline export function roundScale(scale: f32): f32 {
  const word = reinterpret<u32>(scale);
  if (!isNormalHalf(word)) return halfToFloat(scaleToHalf(scale));
  return reinterpret<f32>((word + 0xfff + ((word >>> 13) & 1)) & 0xffffe000);
}

/** The value of nearestHalf(value). */
@inline export function roundToHalf(value: f32): f32 {
  const word = reinterpret<u32>(value);
  if (!isNormalHalf(word)) return halfToFloat(nearestHalf(value));
  return reinterpret<f32>((word + 0xfff + ((word >>> 13) & 1)) & 0xffffe000);
}

/** The bits of a binary16 number that is given as f32. */
@inline export function bitsOfHalf(value: f32): u32 {
  const word = reinterpret<u32>(value);
  if (!isNormalHalf(word)) return floatToHalf(value);
  return ((word >>> 16) & 0x8000) | (((word & 0x7fffffff) - 0x38000000) >>> 13);
}

/** Four binary16 numbers in the upper halves of the lanes, all of them normal. */
@inline function widenNormal(high: v128): v128 {
  const bits = v128.and(i32x4.shr_s(high, 3), i32x4.splat(0x8fffe000));
  return i32x4.add(bits, i32x4.splat(0x38000000));
}

/** Four binary16 numbers in the upper halves of the lanes, of any kind. */
function widenAny(high: v128): v128 {
  const magnitude = i32x4.shr_u(v128.and(high, i32x4.splat(0x7fff0000)), 3);
  const scaled = f32x4.mul(magnitude, f32x4.splat(<f32>5.192296858534828e33));
  const special = i32x4.ge_s(magnitude, i32x4.splat(0x0f800000));
  const finite = v128.or(scaled, v128.and(special, i32x4.splat(0x7f800000)));
  return v128.or(finite, v128.and(high, i32x4.splat(0x80000000)));
}

/** Not zero where a lane is zero, subnormal, infinite or NaN: exponent field 0 or 31. */
@inline function unusual(halves: v128): v128 {
  const next = i16x8.add(halves, i16x8.splat(0x0400));
  return i16x8.eq(v128.and(next, i16x8.splat(0x7800)), i64x2.splat(0));
}

@inline function lowHalves(halves: v128): v128 {
  return v128.shuffle<u16>(i64x2.splat(0), halves, 0, 8, 1, 9, 2, 10, 3, 11);
}

@inline function highHalves(halves: v128): v128 {
  return v128.shuffle<u16>(i64x2.splat(0), halves, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** Stores eight binary16 numbers as f32. */
@inline export function widenHalves(halves: v128, to: usize): void {
  if (v128.any_true(unusual(halves))) {
    v128.store(to, widenAny(lowHalves(halves)));
    v128.store(to, widenAny(highHalves(halves)), 16);
  } else {
    v128.store(to, widenNormal(lowHalves(halves)));
    v128.store(to, widenNormal(highHalves(halves)), 16);
  }
}

/** Four numbers of magnitude at most 65504 to binary16, in the lower halves of the lanes. */
@inline export function narrowToHalves(values: v128): v128 {
  const sign = v128.and(values, i32x4.splat(0x80000000));
  const magnitude = v128.xor(values, sign);
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(
    i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - 0x38000000)), odd),
    13,
  );
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const isSubnormal = i32x4.lt_s(magnitude, i32x4.splat(0x38800000));
  return v128.or(v128.bitselect(subnormal, normal, isSubnormal), i32x4.shr_u(sign, 16));
}
