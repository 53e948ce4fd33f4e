// Twins of src/kernels/scalar/decode-legacy.ts.
import { fifthBits, highNibbles, lowNibbles, storeLine, storeScaled } from './codes';
import { loadHalf } from './half';

export function decode_Q1_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 18, values += 512) {
    const d = loadHalf(bytes);
    for (let group = 0; group < 8; group++) {
      const set = i8x16.shr_u(fifthBits(bytes + 2 + 2 * group), 3);
      storeScaled(i8x16.sub(set, i8x16.splat(1)), d, values + 64 * group);
    }
  }
}

export function decode_Q2_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 18, values += 256) {
    const d = loadHalf(bytes);
    for (let group = 0; group < 4; group++) {
      const four = v128.load32_splat(bytes + 2 + 4 * group);
      const bytes16 = v128.shuffle<u8>(four, four, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
      const even = v128.bitselect(bytes16, i8x16.shr_u(bytes16, 4), i32x4.splat(0x0000ffff));
      const codes = v128.bitselect(even, i8x16.shr_u(even, 2), i16x8.splat(0x00ff));
      const small = v128.and(codes, i8x16.splat(3));
      storeScaled(i8x16.sub(small, i8x16.splat(1)), d, values + 64 * group);
    }
  }
}

export function decode_Q4_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 18, values += 128) {
    const d = loadHalf(bytes);
    const packed = v128.load(bytes, 2);
    storeScaled(i8x16.sub(lowNibbles(packed), i8x16.splat(8)), d, values);
    storeScaled(i8x16.sub(highNibbles(packed), i8x16.splat(8)), d, values + 64);
  }
}

export function decode_Q4_1(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 20, values += 128) {
    const d = loadHalf(bytes);
    const m = loadHalf(bytes + 2);
    const packed = v128.load(bytes, 4);
    storeLine(lowNibbles(packed), d, m, values);
    storeLine(highNibbles(packed), d, m, values + 64);
  }
}

export function decode_Q5_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 22, values += 128) {
    const d = loadHalf(bytes);
    const packed = v128.load(bytes, 6);
    const low = v128.or(lowNibbles(packed), fifthBits(bytes + 2));
    const high = v128.or(highNibbles(packed), fifthBits(bytes + 4));
    storeScaled(i8x16.sub(low, i8x16.splat(16)), d, values);
    storeScaled(i8x16.sub(high, i8x16.splat(16)), d, values + 64);
  }
}

export function decode_Q5_1(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 24, values += 128) {
    const d = loadHalf(bytes);
    const m = loadHalf(bytes + 2);
    const packed = v128.load(bytes, 8);
    storeLine(v128.or(lowNibbles(packed), fifthBits(bytes + 4)), d, m, values);
    storeLine(v128.or(highNibbles(packed), fifthBits(bytes + 6)), d, m, values + 64);
  }
}

export function decode_Q8_0(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 34, values += 128) {
    const d = loadHalf(bytes);
    storeScaled(v128.load(bytes, 2), d, values);
    storeScaled(v128.load(bytes, 18), d, values + 64);
  }
}

export function decode_Q8_1(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 36, values += 128) {
    const d = loadHalf(bytes);
    storeScaled(v128.load(bytes, 4), d, values);
    storeScaled(v128.load(bytes, 20), d, values + 64);
  }
}
