import { useCodebook } from './codebook';
import { entryOf, fitAndMeasure, packSubScales, signs } from './codebook-encode';
import { useIq2Targets } from './iq2-targets';
import { encodeSuperBlocks } from './symmetric-encode';

/** Quantizes f32 rows to IQ2_S; see src/kernels/scalar/iq2_s.ts. */
export function encode_IQ2_S(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
): void {
  useCodebook(8, 3, 8, 17, false);
  useIq2Targets(importance, 1.025);
  const ridge: f32 = importance ? 0.07 : 1;
  encodeSuperBlocks(values, rows, columns, importance, out, stats, 16, 82, ridge, true, packBlock);
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  const error = fitAndMeasure(from, inverseUnit, 16, 0.125, out);
  for (let group: usize = 0; group < 32; group += 4) {
    let high = 0;
    for (let j: usize = 0; j < 4; j++) {
      const entry = <i32>load<u16>(entryOf + 2 * (group + j));
      store<u8>(out + 2 + group + j, <u8>entry);
      high |= (entry >> 8) << (2 * <i32>j);
    }
    store<u8>(out + 66 + (group >> 2), <u8>high);
  }
  memory.copy(out + 34, signs, 32);
  packSubScales(16, out + 74);
  return error;
}
