import type { EncodableType } from '../encodable-types.ts';
import type { Grid } from './grid.ts';
import { gridQ2_K, gridQ4_K, gridQ5_K } from './grids/asymmetric.ts';
import { codebookGrid } from './grids/codebook.ts';
import { gridQ4_0, gridQ4_1, gridQ5_0, gridQ5_1, gridQ8_0 } from './grids/legacy.ts';
import { gridQ3_K, gridQ6_K } from './grids/symmetric.ts';
import { gridIQ4_NL, gridIQ4_XS, gridMXFP4 } from './grids/table.ts';

const scalarGrids = {
  Q8_0: gridQ8_0,
  Q4_0: gridQ4_0,
  Q4_1: gridQ4_1,
  Q5_0: gridQ5_0,
  Q5_1: gridQ5_1,
  Q2_K: gridQ2_K,
  Q3_K: gridQ3_K,
  Q4_K: gridQ4_K,
  Q5_K: gridQ5_K,
  Q6_K: gridQ6_K,
  IQ4_NL: gridIQ4_NL,
  IQ4_XS: gridIQ4_XS,
  MXFP4: gridMXFP4,
} as const satisfies Partial<Record<EncodableType, Grid>>;

/**
 * The grid of a block type; undefined for plain numbers, where every weight is rounded on its own
 * finely enough, and for the types of two to four levels.
 *
 * The first call for a codebook type makes its lists (20 to 200 ms). Scales and offsets are the f32
 * numbers that `decode` multiplies and adds, so `scale · level − offset`, rounded to f32 after each
 * step, equals what it returns bit for bit: tried on random bytes of every type.
 */
export function gridOf(type: EncodableType): Grid | undefined {
  switch (type) {
    case 'F32':
    case 'F16':
    case 'BF16':
    case 'TQ1_0':
    case 'TQ2_0':
    case 'Q2_0':
    case 'Q1_0':
      return undefined;
    case 'IQ3_S':
    case 'IQ3_XXS':
    case 'IQ2_S':
    case 'IQ2_XS':
    case 'IQ2_XXS':
      return codebookGrid(type);
    default:
      return scalarGrids[type];
  }
}
