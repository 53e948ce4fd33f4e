import { blockTypes } from '../../../tensor/block-types.ts';
import { halfAt, nibbleAt } from '../../scalar/block.ts';
import type { EntryPacker } from '../../scalar/codebook-encoder.ts';
import { codebookLists } from '../../scalar/codebook-lists.ts';
import type { CodebookType } from '../../scalar/codebooks.ts';
import { iq2Scale, iq3sScale, iq3xxsScale } from '../../scalar/decode-codebook.ts';
import { packIQ2S } from '../../scalar/iq2_s.ts';
import { packIQ2XS } from '../../scalar/iq2_xs.ts';
import { packIQ2XXS } from '../../scalar/iq2_xxs.ts';
import { packIQ3S } from '../../scalar/iq3_s.ts';
import { packIQ3XXS } from '../../scalar/iq3_xxs.ts';
import type { CodebookGrid } from '../grid.ts';
import { setRun } from './scalar-grid.ts';

/** Where a super-block of 256 keeps its sub-scales s, and what else a grid must know of its type. */
interface Layout {
  readonly evenSigns: boolean;
  /** Weights that share a sub-scale. */
  readonly subBlock: 16 | 32;
  /** The first sub-scale is nibble `first`, counted from the start of the block; then every `stride`th. */
  readonly first: number;
  readonly stride: number;
  /** The scale of a sub-block, in f32. */
  readonly scaleOf: (d: number, s: number) => number;
  readonly packEntries: EntryPacker;
}

const layouts: Record<CodebookType, Layout> = {
  IQ3_S: {
    evenSigns: false,
    subBlock: 32,
    first: 2 * 106,
    stride: 1,
    scaleOf: iq3sScale,
    packEntries: packIQ3S,
  },
  IQ3_XXS: {
    evenSigns: true,
    subBlock: 32,
    first: 2 * 69 + 1,
    stride: 2 * 4,
    scaleOf: iq3xxsScale,
    packEntries: packIQ3XXS,
  },
  IQ2_S: {
    evenSigns: false,
    subBlock: 16,
    first: 2 * 74,
    stride: 1,
    scaleOf: iq2Scale,
    packEntries: packIQ2S,
  },
  IQ2_XS: {
    evenSigns: true,
    subBlock: 16,
    first: 2 * 66,
    stride: 1,
    scaleOf: iq2Scale,
    packEntries: packIQ2XS,
  },
  IQ2_XXS: {
    evenSigns: true,
    subBlock: 32,
    first: 2 * 9 + 1,
    stride: 2 * 8,
    scaleOf: iq2Scale,
    packEntries: packIQ2XXS,
  },
};

/** The grid of a codebook type; makes the lists of its codebook when nobody has before. */
export function codebookGrid(type: CodebookType): CodebookGrid {
  const { weights, bytes } = blockTypes[type];
  const { evenSigns, subBlock, first, stride, scaleOf, packEntries } = layouts[type];
  return {
    kind: 'codebook',
    type,
    weights,
    bytes,
    lists: codebookLists(type),
    evenSigns,
    readScales(bytes, at, scales, offsets) {
      const d = halfAt(bytes, at);
      for (let j = 0; j < 256 / subBlock; j++) {
        const scale = scaleOf(d, nibbleAt(bytes, at, first + stride * j));
        setRun(scales, subBlock * j, subBlock, scale);
      }
      setRun(offsets, 0, 256, 0);
    },
    writeEntries: packEntries,
  };
}
