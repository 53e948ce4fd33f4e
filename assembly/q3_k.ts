import { encodeSuperBlocks } from './symmetric-encode';
import { codes, squaredError, writeLinearCodes } from './symmetric-codes';
import { LINEAR, useLinearGrid } from './symmetric-fit';
import { fitSuperBlock, packedSubScales, scaleBits } from './sub-scales';

const blockBytes: usize = 110;
const ridge: f32 = 1;
const importanceRidge: f32 = 0.07;
const targetCount: i32 = 2;
const targets: usize = memory.data<f32>([-4.1, 2.9]);
const importanceTargetCount: i32 = 12;
const importanceTargets: usize = memory.data<f32>([
  -5.2, -4.6, -4.2, -3.9, -3.5, -3, 1.8, 2.4, 2.8, 3.1, 3.5, 4,
]);

/** Quantizes f32 rows to Q3_K; see src/kernels/scalar/q3_k.ts. */
export function encode_Q3_K(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  const share = importance ? importanceRidge : ridge;
  encodeSuperBlocks(
    values, rows, columns, importance, out, stats, 16, blockBytes, share, true, packBlock,
  );
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  useLinearGrid(-4, 3);
  const tried = hasImportance ? importanceTargets : targets;
  const count = hasImportance ? importanceTargetCount : targetCount;
  fitSuperBlock(16, 16, LINEAR, 32, inverseUnit, tried, count, 1, hasImportance ? 3 : 1);
  writeLinearCodes(from, inverseUnit, 16, 4);
  packHighBits(out);
  packLowBits(codes, out + 32);
  packLowBits(codes + 128, out + 64);
  packSubScales(out + 96);
  store<u16>(out, <u16>scaleBits, 108);
  return squaredError();
}

/** Bit k of byte l is the high bit of weight 32·k + l. */
function packHighBits(out: usize): void {
  const one = i8x16.splat(1);
  for (let l: usize = 0; l < 32; l += 16) {
    let bits = i8x16.splat(0);
    for (let k = 7; k >= 0; k--) {
      const high = i8x16.shr_u(v128.load(codes + l + <usize>k * 32), 2);
      bits = v128.or(i8x16.shl(bits, 1), v128.and(high, one));
    }
    v128.store(out + l, bits);
  }
}

/** Half a block: byte l holds the low bits of weights l, l + 32, l + 64 and l + 96. */
function packLowBits(from: usize, out: usize): void {
  const pair = i8x16.splat(3);
  for (let l: usize = 0; l < 32; l += 16) {
    const a = v128.and(v128.load(from + l), pair);
    const b = i8x16.shl(v128.and(v128.load(from + l, 32), pair), 2);
    const c = i8x16.shl(v128.and(v128.load(from + l, 64), pair), 4);
    const d = i8x16.shl(v128.load(from + l, 96), 6);
    v128.store(out + l, v128.or(v128.or(a, b), v128.or(c, d)));
  }
}

/** Sixteen sub-scales plus 32: low nibbles in bytes 0 … 7, pairs of high bits in bytes 8 … 11. */
function packSubScales(out: usize): void {
  const stored = i8x16.add(packedSubScales(), i8x16.splat(32));
  const low = v128.and(stored, i8x16.splat(15));
  store<u64>(out, i64x2.extract_lane(low, 0) | (i64x2.extract_lane(low, 1) << 4));
  const high = i8x16.shr_u(stored, 4);
  const even = i32x4.extract_lane(high, 0) | (i32x4.extract_lane(high, 1) << 2);
  const odd = (i32x4.extract_lane(high, 2) << 4) | (i32x4.extract_lane(high, 3) << 6);
  store<u32>(out, even | odd, 8);
}
