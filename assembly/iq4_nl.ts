import {
  inverseUnitOf,
  layOut,
  prepareImportance,
  weighByBoth,
  weighBySquare,
} from './fit-block';
import { iq4ImportanceRidge, iq4Ridge, iq4TargetCount, iq4Targets } from './iq4-grid';
import { all } from './lanes';
import { clearError, packIq4, squaredError, writeIq4Codes } from './symmetric-codes';
import { addStats } from './symmetric-encode';
import {
  fitScales,
  halfScale,
  halfValue,
  inversesOf,
  IQ4,
  IQ4_EXACT,
  sumsAt,
  wll,
  wxl,
} from './symmetric-fit';

const blockBytes: usize = 18;
// Of each of the four blocks that are fitted together:
const inverseUnits: usize = memory.data(16, 16);
const energies: usize = memory.data(16, 16);
const scales: usize = memory.data(16, 16);
/** A row's last blocks when they are fewer than four, with zeros after them. */
const padded: usize = memory.data(512, 16);
const paddedImportance: usize = memory.data(512, 16);

/** Quantizes f32 rows to IQ4_NL; see src/kernels/scalar/iq4_nl.ts. */
export function encode_IQ4_NL(
  values: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
): void {
  v128.store(stats, i64x2.splat(0));
  const rowBytes = <usize>(columns >> 5) * blockBytes;
  for (let column = 0; column < columns; column += 128) {
    const blocks = min((columns - column) >> 5, 4);
    if (importance) {
      const here = pad(importance + <usize>column * 4, blocks, paddedImportance);
      prepareImportance(here, 32, 32, 128, iq4ImportanceRidge);
    }
    let from = values + <usize>column * 4;
    let to = out + <usize>(column >> 5) * blockBytes;
    for (let row = 0; row < rows; row++) {
      const four = pad(from, blocks, padded);
      fitFour(four, importance != 0);
      for (let i = 0; i < blocks; i++) packBlock(four, i, to + <usize>i * blockBytes, stats);
      from += <usize>columns * 4;
      to += rowBytes;
    }
  }
}

/** The address of four whole blocks: the given ones, or a copy with zeros for those missing. */
function pad(from: usize, blocks: i32, copy: usize): usize {
  if (blocks == 4) return from;
  memory.fill(copy, 0, 512);
  memory.copy(copy, from, <usize>blocks * 128);
  return copy;
}

function fitFour(from: usize, hasImportance: bool): void {
  for (let i: usize = 0; i < 4; i++) {
    store<f32>(inverseUnits + i * 4, inverseUnitOf(from + i * 128, 32));
  }
  const energy = layOut(from, 32, 128, v128.load(inverseUnits));
  v128.store(energies, energy);
  const mean = f32x4.div(energy, all(32));
  if (hasImportance) weighByBoth(128, mean);
  else weighBySquare(128, mean, iq4Ridge);
  v128.store(scales, fitScales(0, 32, IQ4, iq4Targets, iq4TargetCount, 1));
  for (let i = 0; i < 4; i++) roundScale(i);
  sumsAt(0, 32, inversesOf(v128.load(scales), 0), IQ4_EXACT);
  v128.store(scales, v128.and(f32x4.div(wxl, wll), f32x4.ne(wxl, all(0))));
}

/** Replaces scale `i` by its nearest binary16; returns that one's bits. */
function roundScale(i: i32): u32 {
  const at = scales + <usize>i * 4;
  const inverseUnit = load<f32>(inverseUnits + <usize>i * 4);
  const bits = halfScale(load<f32>(at), inverseUnit);
  store<f32>(at, halfValue(bits, inverseUnit));
  return bits;
}

function packBlock(four: usize, i: i32, out: usize, stats: usize): void {
  const at = <usize>i * 4;
  store<u16>(out, <u16>roundScale(i));
  clearError();
  const inverseUnit = load<f32>(inverseUnits + at);
  writeIq4Codes(four + at * 32, inverseUnit, load<f32>(scales + at), 0);
  packIq4(0, 32, out + 2);
  addStats(stats, inverseUnit, squaredError(), load<f32>(energies + at));
}
