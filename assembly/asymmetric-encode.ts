// The loop that Q2_K, Q4_K and Q5_K share; see src/kernels/scalar/asymmetric-encode.ts.
import { layOut } from './asymmetric-block';
import { writeCodes } from './asymmetric-codes';
import { fitGroup } from './asymmetric-fit';
import { fitSteps, minStepHalf, stepHalf } from './asymmetric-steps';
import { groupCount } from './asymmetric-type';
import { halfToFloat } from './half';

/** Writes one block from the codes, sub-scale codes and steps in scratch. */
export type BlockPacker = (out: usize) => void;

/** Encodes rows of the type set by `setType`, `bytes` a super-block. */
export function encodeAsymmetric(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
  bytes: usize,
  pack: BlockPacker,
): void {
  v128.store(stats, i64x2.splat(0));
  for (let row = 0; row < rows; row++) {
    for (let column: usize = 0; column < <usize>columns; column += 256) {
      const factor = layOut(values, importance ? importance + column * 4 : 0);
      for (let g = 0; g < groupCount; g++) fitGroup(g);
      fitSteps(factor);
      writeCodes(values, halfToFloat(stepHalf), halfToFloat(minStepHalf), stats);
      pack(out);
      values += 1024;
      out += bytes;
    }
  }
}
