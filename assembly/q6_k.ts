import { encodeSuperBlocks } from './symmetric-encode';
import { codes, squaredError, writeLinearCodes } from './symmetric-codes';
import { LINEAR, useLinearGrid } from './symmetric-fit';
import { fitSuperBlock, packedSubScales, scaleBits } from './sub-scales';

const blockBytes: usize = 210;
const ridge: f32 = 0.1;
const importanceRidge: f32 = 0.05;
const targetCount: i32 = 10;
const targets: usize = memory.data<f32>([
  -32.8, -32.4, -32, -31.6, -31.2, 30.2, 30.6, 31, 31.4, 31.8,
]);

/** Quantizes f32 rows to Q6_K; see src/kernels/scalar/q6_k.ts. */
export function encode_Q6_K(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  const share = importance ? importanceRidge : ridge;
  encodeSuperBlocks(
    values,
    rows,
    columns,
    importance,
    out,
    stats,
    16,
    blockBytes,
    share,
    false,
    packBlock,
  );
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  useLinearGrid(-32, 31);
  fitSuperBlock(16, 16, LINEAR, 128, inverseUnit, targets, targetCount, 1, 3);
  writeLinearCodes(from, inverseUnit, 16, 32);
  packCodes(codes, out, out + 128);
  packCodes(codes + 128, out + 64, out + 160);
  v128.store(out, packedSubScales(), 192);
  store<u16>(out, <u16>scaleBits, 208);
  return squaredError();
}

/** Half a block: 64 bytes of low nibbles, 32 bytes of high bit pairs. */
function packCodes(from: usize, low: usize, high: usize): void {
  const nibble = i8x16.splat(15);
  for (let l: usize = 0; l < 32; l += 16) {
    const a = v128.load(from + l);
    const b = v128.load(from + l, 32);
    const c = v128.load(from + l, 64);
    const d = v128.load(from + l, 96);
    v128.store(low + l, v128.or(v128.and(a, nibble), i8x16.shl(c, 4)));
    v128.store(low + l, v128.or(v128.and(b, nibble), i8x16.shl(d, 4)), 32);
    const ab = v128.or(i8x16.shr_u(a, 4), i8x16.shl(i8x16.shr_u(b, 4), 2));
    const cd = v128.or(i8x16.shl(i8x16.shr_u(c, 4), 4), i8x16.shl(i8x16.shr_u(d, 4), 6));
    v128.store(high + l, v128.or(ab, cd));
  }
}
