import { codes, minCodes, scaleCodes } from './asymmetric-codes';
import { encodeAsymmetric } from './asymmetric-encode';
import { minStepHalf, stepHalf } from './asymmetric-steps';
import { setSearch, setType } from './asymmetric-type';

const blockBytes: usize = 144;
const startCount: i32 = 10;
const starts: usize = memory.data<f32>([
  13.05, -0.05, 14.05, 0.1, 14.15, -0.05, 14.5, -0.25, 15, 0.2, 15.2, -0.1,
  15.3, 0.15, 15.7, 0.7, 15.9, 0.1, 16, 0.55,
]);
const topCount: i32 = 7;
const tops: usize = memory.data<f32>([63, 62, 61, 60, 59, 58, 57]);

/** Quantizes f32 rows to Q4_K; see src/kernels/scalar/q4_k.ts. */
export function encode_Q4_K(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  setType(32, 15, 63, 2, 1);
  setSearch(starts, startCount, tops, topCount);
  encodeAsymmetric(values, rows, columns, importance, out, stats, blockBytes, pack);
}

function pack(out: usize): void {
  store<u16>(out, stepHalf);
  store<u16>(out, minStepHalf, 2);
  packSubScales(out + 4);
  out += 16;
  for (let pair = codes; pair < codes + 256; pair += 64) {
    v128.store(out, mergeNibbles(v128.load(pair), v128.load(pair, 32)));
    v128.store(out, mergeNibbles(v128.load(pair, 16), v128.load(pair, 48)), 16);
    out += 32;
  }
}

// @ts-ignore: decorator
@inline
function mergeNibbles(low: v128, high: v128): v128 {
  return v128.or(low, i8x16.shl(high, 4));
}

/** The 12 bytes of eight 6-bit scale codes and eight 6-bit min codes. */
export function packSubScales(out: usize): void {
  for (let j = 0; j < 4; j++) {
    const scaleHigh = load<u8>(scaleCodes + j, 4);
    const minHigh = load<u8>(minCodes + j, 4);
    store<u8>(out + j, load<u8>(scaleCodes + j) | ((scaleHigh >> 4) << 6));
    store<u8>(out + j, load<u8>(minCodes + j) | ((minHigh >> 4) << 6), 4);
    store<u8>(out + j, (scaleHigh & 15) | ((minHigh & 15) << 4), 8);
  }
}
