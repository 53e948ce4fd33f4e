import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSubScales, signs } from './codebook-encode';
import { useTargets } from './codebook-scales';
import { encodeSuperBlocks } from './symmetric-encode';

const plainTargets = memory.data<f32>([13, 14, 15, 16, 17.5, 19]);
const weightedTargets = memory.data<f32>([12, 13, 14, 15, 16, 17, 18.5, 20]);

/** Quantizes f32 rows to IQ3_S; see src/kernels/scalar/iq3_s.ts. */
export function encode_IQ3_S(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(4, 8, 1, 2, false);
  if (importance) useTargets(weightedTargets, 8, 2, 1.006);
  else useTargets(plainTargets, 6, 2, 1.006);
  const ridge: f32 = importance ? 0.07 : 1;
  encodeSuperBlocks(values, rows, columns, importance, out, stats, 32, 110, ridge, true, packBlock);
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  const error = fitAndMeasure(from, inverseUnit, 32, 1, out);
  for (let octet: usize = 0; octet < 8; octet++) {
    let high = 0;
    for (let j: usize = 0; j < 8; j++) {
      const entry = <i32>load<u16>(entryOf + 2 * (8 * octet + j));
      store<u8>(out + 2 + 8 * octet + j, <u8>entry);
      high |= (entry >> 8) << <i32>j;
    }
    store<u8>(out + 66 + octet, <u8>high);
  }
  memory.copy(out + 74, signs, 32);
  packSubScales(8, out + 106);
  return error;
}
