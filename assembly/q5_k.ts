import { codes } from './asymmetric-codes';
import { encodeAsymmetric } from './asymmetric-encode';
import { minStepHalf, stepHalf } from './asymmetric-steps';
import { setSearch, setType } from './asymmetric-type';
import { packSubScales } from './q4_k';

const blockBytes: usize = 176;
const startCount: i32 = 11;
const starts: usize = memory.data<f32>([
  27.6, -0.3, 27.6, 0.25, 28.5, 0.35, 29, 0.1, 29.25, -0.05, 29.9, -0.15,
  30.05, 0.1, 31, 0, 31.05, -0.25, 31.25, 0.4, 32.05, 0.1,
]);
const topCount: i32 = 8;
const tops: usize = memory.data<f32>([63, 62, 61, 60, 59, 58, 57, 56]);

/** Quantizes f32 rows to Q5_K; see src/kernels/scalar/q5_k.ts. */
export function encode_Q5_K(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  setType(32, 31, 63, 2, 1);
  setSearch(starts, startCount, tops, topCount);
  encodeAsymmetric(values, rows, columns, importance, out, stats, blockBytes, pack);
}

function pack(out: usize): void {
  store<u16>(out, stepHalf);
  store<u16>(out, minStepHalf, 2);
  packSubScales(out + 4);
  packHalf(codes, out + 16, out + 48);
  packHalf(codes + 16, out + 32, out + 64);
}

/** Columns `codes` … + 15 of all eight sub-blocks: 16 bytes of fifth bits, and four of low nibbles. */
function packHalf(codes: usize, high: usize, low: usize): void {
  let fifth = i8x16.splat(0);
  for (let pair = 0; pair < 4; pair++) {
    const first = v128.load(codes);
    const second = v128.load(codes, 32);
    const nibble = i8x16.splat(15);
    v128.store(low, v128.or(v128.and(first, nibble), i8x16.shl(second, 4)));
    fifth = v128.or(fifth, i8x16.shl(i8x16.shr_u(first, 4), 2 * pair));
    fifth = v128.or(fifth, i8x16.shl(i8x16.shr_u(second, 4), 2 * pair + 1));
    codes += 64;
    low += 32;
  }
  v128.store(high, fifth);
}
