// The loop that Q6_K, Q3_K and IQ4_XS share; see src/kernels/scalar/symmetric-encoder.ts.
import {
  inverseUnitOf,
  layOut,
  prepareImportance,
  weighByBoth,
  weighByImportance,
  weighBySquare,
} from './fit-block';
import { all, laneSum } from './lanes';

/** Writes the block at `from` that is in scratch; returns Σ (x − x̂)² in units of its unit². */
export type BlockPacker = (from: usize, inverseUnit: f32, hasImportance: bool, out: usize) => f32;

/** Encodes rows in super-blocks of 256 weights with sub-blocks of `length`, `bytes` each. */
export function encodeSuperBlocks(
  source: usize,
  rows: i32,
  columns: i32,
  importance: usize,
  out: usize,
  stats: usize,
  length: i32,
  bytes: usize,
  ridge: f32,
  scalesImportance: bool,
  packBlock: BlockPacker,
): void {
  v128.store(stats, i64x2.splat(0));
  const rowBytes = <usize>(columns >> 8) * bytes;
  for (let column: usize = 0; column < <usize>columns; column += 256) {
    if (importance) prepareImportance(importance + column * 4, 256, length, 256, ridge);
    let from = source + column * 4;
    let to = out + (column >> 8) * bytes;
    for (let row = 0; row < rows; row++) {
      const inverseUnit = inverseUnitOf(from, 256);
      const energy = laneSum(layOut(from, length, 256, all(inverseUnit)));
      if (!importance) weighBySquare(256, all(energy / 256), ridge);
      else if (scalesImportance) weighByBoth(256, all(energy / 256));
      else weighByImportance(256);
      const error = packBlock(from, inverseUnit, importance != 0, to);
      addStats(stats, inverseUnit, error, energy);
      from += <usize>columns * 4;
      to += rowBytes;
    }
  }
}

/** Adds an error and an energy in units of 1 / inverseUnit² to the two f64 at `stats`. */
export function addStats(stats: usize, inverseUnit: f32, error: f32, energy: f32): void {
  const unit = 1 / <f64>inverseUnit;
  const squaredUnit = unit * unit;
  store<f64>(stats, load<f64>(stats) + <f64>error * squaredUnit);
  store<f64>(stats, load<f64>(stats, 8) + <f64>energy * squaredUnit, 8);
}
