import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSubScales, signs } from './codebook-encode';
import { useIq2Targets } from './iq2-targets';
import { encodeSuperBlocks } from './symmetric-encode';

/** Quantizes f32 rows to IQ2_XS; see src/kernels/scalar/iq2_xs.ts. */
export function encode_IQ2_XS(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(8, 3, 8, 17, true);
  useIq2Targets(importance, 1.025);
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
