import { PithError } from '../../util/errors.ts';
import type { EncodableType, Kernels } from '../kernels.ts';
import { blocksOf, type FactorBlock, type Factors } from './factors.ts';
import { gridOf } from './grids.ts';
import { PanelCoder } from './panel-coder.ts';
import type { CoupledError } from './tile-coder.ts';

/** A matrix to encode, and how its errors are coupled. */
export interface CoupledMatrix {
  readonly type: EncodableType;
  readonly columns: number;
  /** `[rows, columns]`, finite; not modified. */
  readonly values: Float32Array;
  /** Of E[a aᵀ] of the input columns, weighted by the gradients. */
  readonly columnFactors: Factors;
  /** Of E[dy dyᵀ] of the output rows; without it rows are encoded independently. */
  readonly rowFactors?: Factors;
}

/** Rows worked on together where nothing couples them: their targets are a copy. */
const independentRows = 256;

/**
 * Encodes a matrix so that each weight's rounding error is made up for by those not yet rounded: by the columns
 * after it in its row, and by the rows after it.
 *
 * A block's scales are fitted when its first column is reached, to what the errors before it left; importance
 * is the cost that remains after compensation, 1/Uⱼⱼ².
 *
 * @param out - Room for all blocks, row after row.
 * @throws PithError `unsupported` for types without codes (F32, F16, BF16, ternary).
 * @see Frantar et al. 2022, arXiv:2210.17323 (GPTQ); Tseng et al. 2025, arXiv:2505.22988 (YAQA) for feedback on
 *   both sides. Differs: scales are refitted to compensated weights, by the kernels' own search.
 * @remarks R·C²/2 + R²·C/2 multiply-adds, less with blocks. f32 throughout.
 */
export function encodeMatrix(
  kernels: Kernels,
  matrix: CoupledMatrix,
  out: Uint8Array,
): CoupledError {
  const { type, columns, values, columnFactors, rowFactors } = matrix;
  const grid = gridOf(type);
  if (!grid)
    throw new PithError('unsupported', `${type} has no codes that errors could be fed back into.`);
  const coder = new PanelCoder(kernels, grid, { values, columns, out });
  const rows = values.length / columns;
  const rowBlocks = rowFactors ? blocksOf(rowFactors, rows) : independent(rows);
  for (const across of blocksOf(columnFactors, columns))
    for (const down of rowBlocks) coder.code(down, across);
  return coder.error;
}

/** Blocks of rows without factors. */
function independent(rows: number): FactorBlock[] {
  return blocksOf({ blockSize: independentRows, values: new Float32Array(0) }, rows);
}
