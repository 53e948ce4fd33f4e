// Twins of src/kernels/scalar/decode-k-quants.ts.
import { crumbs, lowNibbles, storeLine, storeScaled } from './codes';
import { loadHalf } from './half';

/** Scale (shift 0) or min (shift 4) number j of the 12 packed bytes of Q4_K and Q5_K. */
@inline function sixBitField(at: usize, j: i32, shift: i32): i32 {
  const own = at + j + shift;
  if (j < 4) return load<u8>(own) & 63;
  return ((load<u8>(at + j + 4) >> shift) & 15) | ((load<u8>(own - 4) >> 6) << 4);
}

export function decode_Q2_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 84) {
    const d = loadHalf(bytes + 80);
    const dmin = loadHalf(bytes + 82);
    for (let j = 0; j < 16; j++, values += 64) {
      const packed = <i32>load<u8>(bytes + j);
      const codes = v128.load(bytes + 16 + 32 * (j >> 3) + 16 * (j & 1));
      const shift = 2 * ((j >> 1) & 3);
      storeLine(crumbs(codes, shift), d * <f32>(packed & 15), -(dmin * <f32>(packed >> 4)), values);
    }
  }
}

export function decode_Q3_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 110) {
    const d = loadHalf(bytes + 108);
    for (let j = 0; j < 16; j++, values += 64) {
      const low = (<i32>load<u8>(bytes + 96 + (j & 7)) >> (4 * (j >> 3))) & 15;
      const scale = low | (((<i32>load<u8>(bytes + 104 + (j & 3)) >> (2 * (j >> 2))) & 3) << 4);
      const codes = crumbs(v128.load(bytes + 32 + 32 * (j >> 3) + 16 * (j & 1)), 2 * ((j >> 1) & 3));
      const bit = v128.and(i8x16.shr_u(v128.load(bytes + 16 * (j & 1)), j >> 1), i8x16.splat(1));
      const signed = i8x16.sub(v128.or(codes, i8x16.shl(bit, 2)), i8x16.splat(4));
      storeScaled(signed, d * <f32>(scale - 32), values);
    }
  }
}

export function decode_Q4_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 144) {
    const d = loadHalf(bytes);
    const dmin = loadHalf(bytes + 2);
    for (let j = 0; j < 8; j++, values += 128) {
      const scale = d * <f32>sixBitField(bytes + 4, j, 0);
      const min = -(dmin * <f32>sixBitField(bytes + 4, j, 4));
      const codes = bytes + 16 + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      storeLine(lowNibbles(i8x16.shr_u(v128.load(codes), shift)), scale, min, values);
      storeLine(lowNibbles(i8x16.shr_u(v128.load(codes, 16), shift)), scale, min, values + 64);
    }
  }
}

/** Bit j of 16 bytes, as 16 or 0. */
@inline function fifthBitAt(at: usize, j: i32): v128 {
  return i8x16.shl(v128.and(i8x16.shr_u(v128.load(at), j), i8x16.splat(1)), 4);
}

export function decode_Q5_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 176) {
    const d = loadHalf(bytes);
    const dmin = loadHalf(bytes + 2);
    for (let j = 0; j < 8; j++, values += 128) {
      const scale = d * <f32>sixBitField(bytes + 4, j, 0);
      const min = -(dmin * <f32>sixBitField(bytes + 4, j, 4));
      const codes = bytes + 48 + 32 * (j >> 1);
      const shift = 4 * (j & 1);
      const first = lowNibbles(i8x16.shr_u(v128.load(codes), shift));
      const second = lowNibbles(i8x16.shr_u(v128.load(codes, 16), shift));
      storeLine(v128.or(first, fifthBitAt(bytes + 16, j)), scale, min, values);
      storeLine(v128.or(second, fifthBitAt(bytes + 32, j)), scale, min, values + 64);
    }
  }
}

export function decode_Q6_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 210) {
    const d = loadHalf(bytes + 208);
    for (let j = 0; j < 16; j++, values += 64) {
      const half = j >> 3;
      const quarter = (j >> 1) & 3;
      const packed = v128.load(bytes + 64 * half + 32 * (quarter & 1) + 16 * (j & 1));
      const low = lowNibbles(i8x16.shr_u(packed, 4 * (quarter >> 1)));
      const high = crumbs(v128.load(bytes + 128 + 32 * half + 16 * (j & 1)), 2 * quarter);
      const codes = i8x16.sub(v128.or(low, i8x16.shl(high, 4)), i8x16.splat(32));
      storeScaled(codes, d * <f32>load<i8>(bytes + 192 + j), values);
    }
  }
}

export function decode_Q8_K(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 292) {
    const d = load<f32>(bytes);
    for (let j = 0; j < 256; j += 16, values += 64) storeScaled(v128.load(bytes + 4 + j), d, values);
  }
}
