// Twins of src/kernels/scalar/decode-nonlinear.ts.
import { highNibbles, lowNibbles, storeScaled } from './codes';
import { loadHalf } from './half';

@inline function iq4Levels(): v128 {
  return i8x16(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
}

@inline function fp4Levels(): v128 {
  return i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
}

/** 32 weights from 16 bytes: low nibbles first. */
@inline function storeLevels(levels: v128, packed: v128, scale: f32, to: usize): void {
  storeScaled(i8x16.swizzle(levels, lowNibbles(packed)), scale, to);
  storeScaled(i8x16.swizzle(levels, highNibbles(packed)), scale, to + 64);
}

export function decode_IQ4_NL(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 18, values += 128)
    storeLevels(iq4Levels(), v128.load(bytes, 2), loadHalf(bytes), values);
}

export function decode_IQ4_XS(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 136) {
    const d = loadHalf(bytes);
    const highScales = <i32>load<u16>(bytes + 2);
    for (let block = 0; block < 8; block++, values += 128) {
      const low = (<i32>load<u8>(bytes + 4 + (block >> 1)) >> (4 * (block & 1))) & 15;
      const scale = low | (((highScales >> (2 * block)) & 3) << 4);
      const packed = v128.load(bytes + 8 + 16 * block);
      storeLevels(iq4Levels(), packed, d * <f32>(scale - 32), values);
    }
  }
}

/** 2^(e - 128). */
@inline function halfOfE8m0(e: u32): f32 {
  return reinterpret<f32>(e < 2 ? 0x00200000 << e : (e - 1) << 23);
}

export function decode_MXFP4(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 17, values += 128)
    storeLevels(fp4Levels(), v128.load(bytes, 1), halfOfE8m0(load<u8>(bytes)), values);
}

@inline function halfOfE4m3(byte: u32): f32 {
  if (byte == 127) return 0;
  const exponent = (byte >> 3) & 15;
  if (exponent == 0) return <f32>(byte & 7) * <f32>0.0009765625;
  return reinterpret<f32>(((exponent + 119) << 23) | ((byte & 7) << 20));
}

export function decode_NVFP4(bytes: usize, units: i32, values: usize): void {
  for (; units > 0; units--, bytes += 36) {
    for (let group = 0; group < 4; group++, values += 64) {
      const packed = v128.load64_zero(bytes + 4 + 8 * group);
      const codes = v128.shuffle<u64>(lowNibbles(packed), highNibbles(packed), 0, 2);
      const scale = halfOfE4m3(load<u8>(bytes + group));
      storeScaled(i8x16.swizzle(fp4Levels(), codes), scale, values);
    }
  }
}
