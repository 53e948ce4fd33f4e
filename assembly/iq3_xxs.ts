import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSignsAndScale } from './codebook-encode';
import { useTargets } from './codebook-scales';
import { encodeSuperBlocks } from './symmetric-encode';

const plainTargets = memory.data<f32>([50, 56, 62, 68, 76]);
const weightedTargets = memory.data<f32>([52, 60, 68, 78, 88]);

/** Quantizes f32 rows to IQ3_XXS; see src/kernels/scalar/iq3_xxs.ts. */
export function encode_IQ3_XXS(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(4, 8, 4, 8, true);
  if (importance) useTargets(weightedTargets, 5, 4, 1.012);
  else useTargets(plainTargets, 5, 4, 1.012);
  const ridge: f32 = importance ? 0.07 : 1;
  encodeSuperBlocks(values, rows, columns, importance, out, stats, 32, 98, ridge, true, packBlock);
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  const error = fitAndMeasure(from, inverseUnit, 32, 0.25, out);
  for (let group: usize = 0; group < 64; group++) {
    store<u8>(out + 2 + group, load<u8>(entryOf + 2 * group));
  }
  for (let block: usize = 0; block < 8; block++) packSignsAndScale(block, out + 66 + 4 * block);
  return error;
}
