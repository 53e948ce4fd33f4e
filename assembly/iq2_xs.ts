import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSubScales, signs } from './codebook-encode';
import { useTargets } from './codebook-scales';
import { encodeSuperBlocks } from './symmetric-encode';

const plainTargets = memory.data<f32>([36, 42, 48, 54, 60]);
const weightedTargets = memory.data<f32>([36, 42, 48, 55, 63, 72]);

/** Quantizes f32 rows to IQ2_XS; see src/kernels/scalar/iq2_xs.ts. */
export function encode_IQ2_XS(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(8, 3, 8, 17, true);
  if (importance) useTargets(weightedTargets, 6, 4, 1.025);
  else useTargets(plainTargets, 5, 4, 1.025);
  const ridge: f32 = importance ? 0.07 : 6;
  encodeSuperBlocks(values, rows, columns, importance, out, stats, 16, 74, ridge, true, packBlock);
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  const error = fitAndMeasure(from, inverseUnit, 16, 0.125, out);
  for (let group: usize = 0; group < 32; group++) {
    const seven = <u32>load<u8>(signs + group) & 127;
    store<u16>(out + 2 + 2 * group, <u16>(<u32>load<u16>(entryOf + 2 * group) | (seven << 9)));
  }
  packSubScales(16, out + 66);
  return error;
}
