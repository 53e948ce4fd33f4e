import { codes, minCodes, scaleCodes } from './asymmetric-codes';
import { encodeAsymmetric } from './asymmetric-encode';
import { minStepHalf, stepHalf } from './asymmetric-steps';
import { setSearch, setType } from './asymmetric-type';

const blockBytes: usize = 84;
const startCount: i32 = 8;
const starts: usize = memory.data<f32>([
  2.35, 0, 2.4, -0.2, 3.35, 0.15, 3.35, 0.35, 3.55, 0.05, 3.8, -0.05,
  4.15, 1, 4.6, 0.75,
]);
const topCount: i32 = 5;
const tops: usize = memory.data<f32>([14, 14.5, 15, 15.5, 16]);

/** Quantizes f32 rows to Q2_K; see src/kernels/scalar/q2_k.ts. */
export function encode_Q2_K(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  setType(16, 3, 15, 1, 0);
  setSearch(starts, startCount, tops, topCount);
  encodeAsymmetric(values, rows, columns, importance, out, stats, blockBytes, pack);
}

function pack(out: usize): void {
  for (let j = 0; j < 16; j++) store<u8>(out + j, load<u8>(scaleCodes + j) | (load<u8>(minCodes + j) << 4));
  for (let column: usize = 0; column < 32; column += 16) {
    v128.store(out + column, mergePairs(codes + column), 16);
    v128.store(out + column, mergePairs(codes + column + 128), 48);
  }
  store<u16>(out, stepHalf, 80);
  store<u16>(out, minStepHalf, 82);
}

/** Codes 0, 32, 64 and 96 bytes from `at` in one byte, lowest bits first. */
// @ts-ignore: decorator
@inline
function mergePairs(at: usize): v128 {
  const low = v128.or(v128.load(at), i8x16.shl(v128.load(at, 32), 2));
  const high = v128.or(i8x16.shl(v128.load(at, 64), 4), i8x16.shl(v128.load(at, 96), 6));
  return v128.or(low, high);
}
