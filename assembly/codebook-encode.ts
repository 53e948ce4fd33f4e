// What the codebook types share in writing a block; see src/kernels/scalar/codebook-encoder.ts.
import { chosen, entries, evenSigns, nearest, width } from './codebook';
import { fitCodebook, scaleBits, scales, subScales } from './codebook-scales';
import { grouped, toWeights } from './fit-block';
import { all, laneSum } from './lanes';

/** The entry of each group in the order of the block, two bytes each. */
export const entryOf: usize = memory.data(128, 16);
/** A byte of signs for eight weights. */
export const signs: usize = memory.data(32, 16);

const signVectors: usize = memory.data(32, 16);

/** Fits the block in scratch, writes d, and returns Σ (x − x̂)² in units of its unit². */
export function fitAndMeasure(
  from: usize,
  inverseUnit: f32,
  length: i32,
  share: f32,
  out: usize,
): f32 {
  fitCodebook(256 / length, length, share, inverseUnit);
  store<u16>(out, <u16>scaleBits);
  const unit = all(inverseUnit);
  const octets = <usize>length >> 3;
  let error = all(0);
  for (let octet: usize = 0; octet < 32; octet++, from += 32) {
    const subBlock = octet / octets;
    const levels = levelsOf(octet, subBlock, octets);
    const scale = v128.load32_splat(scales + subBlock * 4);
    const low = f32x4.mul(v128.load(from), unit);
    const high = f32x4.mul(v128.load(from, 16), unit);
    const first = i32x4.extend_low_i16x8_s(levels);
    const second = i32x4.extend_high_i16x8_s(levels);
    const lowLevels = f32x4.convert_i32x4_s(first);
    const highLevels = f32x4.convert_i32x4_s(second);
    storeSigns(octet, low, high, lowLevels, highLevels, weightsAt(octet, subBlock, octets));
    const a = v128.xor(f32x4.mul(scale, lowLevels), v128.load(signVectors));
    const b = v128.xor(f32x4.mul(scale, highLevels), v128.load(signVectors, 16));
    const errorA = f32x4.sub(low, a);
    const errorB = f32x4.sub(high, b);
    error = f32x4.add(error, f32x4.mul(errorA, errorA));
    error = f32x4.add(error, f32x4.mul(errorB, errorB));
  }
  return laneSum(error);
}

/** Where the weight of the errors of an octet's first weight lies; the next is 16 bytes on. */
// @ts-ignore: decorator
@inline
function weightsAt(octet: usize, subBlock: usize, octets: usize): usize {
  const vector = (subBlock >> 2) * octets + (octet - subBlock * octets);
  return grouped + toWeights + vector * 128 + (subBlock & 3) * 4;
}

/** Stores the entries of an octet; returns its eight levels. */
// @ts-ignore: decorator
@inline
function levelsOf(octet: usize, subBlock: usize, octets: usize): v128 {
  const vector = (subBlock >> 2) * octets + (octet - subBlock * octets);
  const lane = (subBlock & 3) * 4;
  if (width == 8) {
    const entry = <usize>load<u16>(nearest + 2 * <usize>load<i32>(chosen + vector * 16 + lane));
    store<u16>(entryOf + octet * 2, <u16>entry);
    return i16x8.extend_low_i8x16_s(v128.load64_zero(entries + entry * 8));
  }
  const at = chosen + vector * 32 + lane;
  const first = <usize>load<u16>(nearest + 2 * <usize>load<i32>(at));
  const second = <usize>load<u16>(nearest + 2 * <usize>load<i32>(at, 16));
  store<u16>(entryOf + octet * 4, <u16>first);
  store<u16>(entryOf + octet * 4, <u16>second, 2);
  const packed = v128.load32_zero(entries + first * 4);
  return i16x8.extend_low_i8x16_s(v128.load32_lane(entries + second * 4, packed, 1));
}

/** Stores the signs of an octet as a byte and as the sign bits of eight f32. */
// @ts-ignore: decorator
@inline
function storeSigns(
  octet: usize,
  low: v128,
  high: v128,
  lowLevels: v128,
  highLevels: v128,
  weights: usize,
): void {
  const signBit = i32x4.splat(0x80000000);
  const lowSigns = v128.and(f32x4.lt(low, all(0)), signBit);
  const highSigns = v128.and(f32x4.lt(high, all(0)), signBit);
  let bits = i32x4.bitmask(lowSigns) | (i32x4.bitmask(highSigns) << 4);
  v128.store(signVectors, lowSigns);
  v128.store(signVectors, highSigns, 16);
  if (evenSigns && (popcnt(bits) & 1) != 0) {
    const flip = cheapestSign(low, high, lowLevels, highLevels, weights);
    bits ^= 1 << (<i32>flip);
    const at = signVectors + flip * 4;
    store<u32>(at, load<u32>(at) ^ 0x80000000);
  }
  store<u8>(signs + octet, <u8>bits);
}

const products: usize = memory.data(64, 16);

/** Which of eight weights loses least by the wrong sign: the first with the least w·|x|·q. */
function cheapestSign(
  low: v128,
  high: v128,
  lowLevels: v128,
  highLevels: v128,
  weights: usize,
): usize {
  v128.store(products, lowLevels);
  v128.store(products, highLevels, 16);
  v128.store(products, f32x4.abs(low), 32);
  v128.store(products, f32x4.abs(high), 48);
  let best: usize = 0;
  let least: f32 = Infinity;
  for (let j: usize = 0; j < 8; j++) {
    const weighted = load<f32>(weights + j * 16) * load<f32>(products + j * 4);
    const product = weighted * load<f32>(products + j * 4, 32);
    if (product >= least) continue;
    least = product;
    best = j;
  }
  return best;
}

/** `count` sub-scales, two a byte. */
export function packSubScales(count: usize, out: usize): void {
  for (let j: usize = 0; j < count; j += 2) {
    const low = <i32>load<f32>(subScales + j * 4);
    const high = <i32>load<f32>(subScales + j * 4, 4);
    store<u8>(out + (j >> 1), <u8>(low | (high << 4)));
  }
}

/** Four sets of seven signs and the sub-scale of a sub-block of 32. */
export function packSignsAndScale(block: usize, out: usize): void {
  let word = <u32><i32>load<f32>(subScales + block * 4) << 28;
  for (let l: usize = 0; l < 4; l++) {
    word |= (<u32>load<u8>(signs + 4 * block + l) & 127) << (7 * <u32>l);
  }
  store<u32>(out, word);
}
