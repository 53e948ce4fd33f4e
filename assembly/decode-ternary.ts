// Twins of src/kernels/scalar/decode-ternary.ts.
import { crumbs, storeScaled } from './codes';
import { loadHalf } from './half';

@inline function tripled(bytes: v128): v128 {
  return i8x16.add(bytes, i8x16.add(bytes, bytes));
}

/** The first base-3 digit of a fraction of 256, minus 1: 3 * byte passes 256 at 86, 512 at 171 (-85). */
@inline function firstTrit(fractions: v128): v128 {
  const passes = i8x16.add(
    i8x16.ge_u(fractions, i8x16.splat(86)),
    i8x16.ge_u(fractions, i8x16.splat(-85)),
  );
  return i8x16.sub(i8x16.splat(-1), passes);
}

/** Five trits of each of 16 bytes; trit n of byte m is weight m + stride * n. */
@inline function storeTrits(bytes: v128, stride: usize, d: f32, to: usize): void {
  for (let n = 0; n < 5; n++) {
    storeScaled(firstTrit(bytes), d, to);
    bytes = tripled(bytes);
    to += stride;
  }
}

export function decode_TQ1_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 54, values += 1024) {
    const d = loadHalf(bytes + 52);
    storeTrits(v128.load(bytes), 128, d, values);
    storeTrits(v128.load(bytes, 16), 128, d, values + 64);
    storeTrits(v128.load(bytes, 32), 64, d, values + 640);
    const first = v128.load32_splat(bytes + 48);
    const second = tripled(first);
    const third = tripled(second);
    const pairs = v128.shuffle<u32>(first, second, 0, 4, 0, 4);
    const rest = v128.shuffle<u32>(third, tripled(third), 0, 4, 0, 4);
    storeScaled(firstTrit(v128.shuffle<u64>(pairs, rest, 0, 2)), d, values + 960);
  }
}

export function decode_TQ2_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 66) {
    const d = loadHalf(bytes + 64);
    for (let j = 0; j < 16; j++, values += 64) {
      const packed = v128.load(bytes + 32 * (j >> 3) + 16 * (j & 1));
      const codes = crumbs(packed, 2 * ((j >> 1) & 3));
      storeScaled(i8x16.sub(codes, i8x16.splat(1)), d, values);
    }
  }
}
