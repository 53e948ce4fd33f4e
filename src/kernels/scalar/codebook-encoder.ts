import type { Encoder } from '../kernels.ts';
import { isOdd, type CodebookShape } from './codebook-fit.ts';
import { codebookLists } from './codebook-lists.ts';
import { fitCodebook, type CodebookFit } from './codebook-scales.ts';
import { codebookTuning } from './codebook-tuning.ts';
import type { CodebookType } from './codebooks.ts';
import { sumInFour, type FitBlock } from './fit-block.ts';
import { symmetricEncoder } from './symmetric-encoder.ts';

const f = Math.fround;

/** What a super-block of a codebook type is, and how it is packed. */
export interface CodebookCodec extends Pick<CodebookShape, 'evenSigns' | 'share'> {
  readonly type: CodebookType;
  /** Weights that share a scale. */
  readonly subBlock: 16 | 32;
  readonly packEntries: EntryPacker;
  /** Adds the sub-scales to a block where their bits are 0. */
  packScales(subScales: readonly number[], out: Uint8Array): void;
}

/**
 * Writes an entry a group and a byte of signs for eight weights (bit j: weight j is negative) over
 * those of the block at `out[at]`; scales stay.
 */
export type EntryPacker = (
  entries: ArrayLike<number>,
  signs: Uint8Array,
  out: Uint8Array,
  at: number,
) => void;

/** The encoder of a codebook type. */
export function codebookEncoder(codec: CodebookCodec): Encoder {
  const tuning = codebookTuning[codec.type];
  return symmetricEncoder({
    ...codec,
    ...tuning,
    together: 1,
    scalesImportance: true,
    encode(block, search, out) {
      const shape = { ...codec, ...tuning, lists: codebookLists(codec.type) };
      const fit = fitCodebook(block, shape, search);
      const levels = levelsOf(fit, shape);
      const signs = signsOf(block, levels, codec.evenSigns);
      out.fill(0);
      out[0] = fit.scale.bits & 255;
      out[1] = fit.scale.bits >> 8;
      codec.packEntries(fit.entries, signs, out, 0);
      codec.packScales(fit.subScales, out);
      return squaredError(block, fit.scales, levels, signs);
    },
  });
}

function levelsOf({ entries }: CodebookFit, { lists }: CodebookShape): Float32Array {
  const { width } = lists;
  return Float32Array.from({ length: entries.length * width }, (_, i) => {
    return lists.entries[entries[Math.floor(i / width)]! * width + (i % width)]!;
  });
}

function signsOf(block: FitBlock, levels: Float32Array, evenSigns: boolean): Uint8Array {
  return Uint8Array.from({ length: levels.length / 8 }, (_, octet) => {
    let bits = 0;
    for (let j = 0; j < 8; j++) if (block.values[8 * octet + j]! < 0) bits |= 1 << j;
    const flips = evenSigns && isOdd(block, 8 * octet);
    return flips ? bits ^ (1 << cheapestSign(block, levels, 8 * octet)) : bits;
  });
}

/** Which of eight weights loses least by the wrong sign: the first with the least w·|x|·q. */
function cheapestSign({ values, weights }: FitBlock, levels: Float32Array, first: number): number {
  let best = 0;
  let least = Infinity;
  for (let j = 0; j < 8; j++) {
    const i = first + j;
    const product = f(f(weights[i]! * levels[i]!) * Math.abs(values[i]!));
    if (product >= least) continue;
    least = product;
    best = j;
  }
  return best;
}

/** Σ (x − x̂)² in units of the block's unit². */
function squaredError(
  { values, subBlock }: FitBlock,
  scales: readonly number[],
  levels: Float32Array,
  signs: Uint8Array,
): number {
  const squares = levels.map((level, i) => {
    const magnitude = f(scales[Math.floor(i / subBlock)]! * level);
    const negative = (signs[i >> 3]! >> (i & 7)) & 1;
    const error = f(values[i]! - (negative ? -magnitude : magnitude));
    return error * error;
  });
  return sumInFour(squares);
}

/** Sub-scales of neighbours, two a byte. */
export function packSubScales(subScales: readonly number[], out: Uint8Array, at: number): void {
  subScales.forEach((subScale, j) => {
    out[at + (j >> 1)]! |= subScale << (4 * (j & 1));
  });
}

/** For 32 weights, the signs from `first` on: four sets of seven in the low 28 bits of a word. */
export function packEvenSigns(signs: Uint8Array, first: number, out: Uint8Array, at: number): void {
  let word = (out[at + 3]! >> 4) << 28;
  for (let l = 0; l < 4; l++) word |= (signs[first + l]! & 127) << (7 * l);
  for (let byte = 0; byte < 4; byte++) out[at + byte] = word >>> (8 * byte);
}
