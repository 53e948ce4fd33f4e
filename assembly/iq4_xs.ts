import { encodeSuperBlocks } from './symmetric-encode';
import { iq4ImportanceRidge, iq4Ridge, iq4TargetCount, iq4Targets } from './iq4-grid';
import { clearError, packIq4, squaredError, writeIq4Codes } from './symmetric-codes';
import { IQ4 } from './symmetric-fit';
import { fitSuperBlock, scaleBits, scales, subScales } from './sub-scales';

const blockBytes: usize = 136;

/** Quantizes f32 rows to IQ4_XS; see src/kernels/scalar/iq4_xs.ts. */
export function encode_IQ4_XS(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  const share = importance ? iq4ImportanceRidge : iq4Ridge;
  encodeSuperBlocks(
    values,
    rows,
    columns,
    importance,
    out,
    stats,
    32,
    blockBytes,
    share,
    true,
    packBlock,
  );
}

function packBlock(from: usize, inverseUnit: f32, hasImportance: bool, out: usize): f32 {
  fitSuperBlock(8, 32, IQ4, 32, inverseUnit, iq4Targets, iq4TargetCount, 1, 3);
  clearError();
  for (let j: usize = 0; j < 8; j++) {
    writeIq4Codes(from + j * 128, inverseUnit, load<f32>(scales + j * 4), j * 32);
  }
  store<u16>(out, <u16>scaleBits);
  packSubScales(out + 2);
  packIq4(0, 256, out + 8);
  return squaredError();
}

/** Sub-scales plus 32: two high bits each in bytes 0 and 1, low nibbles in bytes 2 … 5. */
function packSubScales(out: usize): void {
  let high: usize = 0;
  let low: usize = 0;
  for (let j: usize = 0; j < 8; j++) {
    const stored = <usize>(<i32>load<f32>(subScales + j * 4) + 32);
    high |= (stored >> 4) << ((2 * j));
    low |= (stored & 15) << ((4 * j));
  }
  store<u16>(out, <u16>high);
  store<u32>(out, <u32>low, 2);
}
