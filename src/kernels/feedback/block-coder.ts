import type { FactorBlock } from './factors.ts';
import { nearestCode, thresholdsOf } from './choose-code.ts';
import { EntryChooser } from './choose-entry.ts';
import type { CodebookGrid, Grid, ScalarGrid } from './grid.ts';
import { groupMetrics } from './group-metrics.ts';

const f = Math.fround;

/** A block of weights that is being coded. */
export interface BlockTarget {
  /** What the row asks for, of the block and of the columns after it that its errors go to at once. Overwritten. */
  readonly targets: Float32Array;
  /** Gets (target − x̂ⱼ) / Uⱼⱼ of every weight j. */
  readonly errors: Float32Array;
  /** Gets x̂. */
  readonly values: Float32Array;
  /** Encoded once: its scales stay, its codes are replaced. */
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** Codes a block of weights one after the other, passing each error on to the targets after it. */
export type BlockCoder = (block: BlockTarget, factor: FactorBlock, column: number) => void;

/** The coder of a block type; it holds the memory that one block needs. */
export function blockCoder(grid: Grid): BlockCoder {
  return grid.kind === 'scalar' ? scalarCoder(grid) : codebookCoder(grid);
}

function scalarCoder(grid: ScalarGrid): BlockCoder {
  const { weights, levels } = grid;
  const thresholds = thresholdsOf(levels);
  const scales = new Float32Array(weights);
  const offsets = new Float32Array(weights);
  const codes = new Uint8Array(weights);
  return (block, factor, column) => {
    grid.readScales(block.bytes, block.at, scales, offsets);
    for (let j = 0; j < weights; j++) {
      const scale = scales[j]!;
      const inverse = scale === 0 ? 0 : f(1 / scale);
      const ratio = f(f(block.targets[j]! + offsets[j]!) * inverse);
      const code = nearestCode(thresholds, ratio);
      codes[j] = code;
      block.values[j] = f(f(scale * levels[code]!) - offsets[j]!);
      passOn(block, j, factor, column);
    }
    grid.writeCodes(codes, block.bytes, block.at);
  };
}

function codebookCoder(grid: CodebookGrid): BlockCoder {
  const { weights, lists, evenSigns } = grid;
  const { width } = lists;
  const scales = new Float32Array(weights);
  const offsets = new Float32Array(weights);
  const entries = new Uint16Array(weights / width);
  const signs = new Uint8Array(weights / 8);
  const chooser = new EntryChooser(lists);
  const { code } = chooser;
  return (block, factor, column) => {
    grid.readScales(block.bytes, block.at, scales, offsets);
    signs.fill(0);
    const metrics = groupMetrics(factor, column, { weights, width });
    for (let at = 0; at < weights; at += width) {
      const group = at / width;
      const octet = at >> 3;
      const isLast = (at + width) % 8 === 0;
      const parity = evenSigns && isLast ? parityOf(signs[octet]!) : undefined;
      const metric = metrics[group]!;
      chooser.choose({ values: block.targets, at, metric, scale: scales[at]! }, parity);
      entries[group] = code.entry;
      signs[octet]! |= code.signs << (at & 7);
      for (let j = 0; j < width; j++) {
        const magnitude = f(scales[at]! * lists.entries[code.entry * width + j]!);
        block.values[at + j] = (code.signs >> j) & 1 ? -magnitude : magnitude;
        passOn(block, at + j, factor, column);
      }
    }
    grid.writeEntries(entries, signs, block.bytes, block.at);
  };
}

/** 1 for an odd number of set bits. */
function parityOf(bits: number): number {
  let parity = bits ^ (bits >> 4);
  parity ^= parity >> 2;
  return (parity ^ (parity >> 1)) & 1;
}

/** Moves what weight j lacks to the weights after it. */
function passOn(
  { targets, values, errors }: BlockTarget,
  j: number,
  factor: FactorBlock,
  column: number,
): void {
  const row = (column + j) * factor.stride + column;
  const error = f(f(targets[j]! - values[j]!) / factor.values[row + j]!);
  errors[j] = error;
  for (let k = j + 1; k < targets.length; k++)
    targets[k] = targets[k]! - f(error * factor.values[row + k]!);
}
