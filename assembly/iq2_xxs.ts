import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSignsAndScale } from './codebook-encode';
import { useIq2Targets } from './iq2-targets';
import { encodeSuperBlocks } from './symmetric-encode';

/** Quantizes f32 rows to IQ2_XXS; see src/kernels/scalar/iq2_xxs.ts. */
export function encode_IQ2_XXS(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(8, 3, 8, 17, true);
  useIq2Targets(importance, 1.03);
  const ridge: f32 = importance ? 0.07 : 6;
  encodeSuperBlocks(values, rows, columns, importance, out, stats, 32, 66, ridge, true, packBlock);
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  const error = fitAndMeasure(from, inverseUnit, 32, 0.125, out);
  for (let block: usize = 0; block < 8; block++) {
    for (let j: usize = 0; j < 4; j++) {
      store<u8>(out + 2 + 8 * block + j, load<u8>(entryOf + 2 * (4 * block + j)));
    }
    packSignsAndScale(block, out + 6 + 8 * block);
  }
  return error;
}
