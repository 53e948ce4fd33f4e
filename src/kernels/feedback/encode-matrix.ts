import { blockTypes } from '../../tensor/block-types.ts';
import { PithError } from '../../util/errors.ts';
import type { EncodableType, EncodeError, Kernels } from '../kernels.ts';
import { blocksOf, type FactorBlock, type Factors } from './factors.ts';
import { gridOf } from './grids.ts';
import { RowCoder } from './row-coder.ts';

const f = Math.fround;

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

/** Errors of a matrix encoded with feedback. */
export interface CoupledError extends EncodeError {
  /** tr(G Δ H Δᵀ), G and H damped as they were factored; G the identity without row factors. */
  coupledError: number;
}

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
  const coder = new RowCoder(kernels, grid, columnFactors, columns);
  const rows = values.length / columns;
  const rowBytes = (columns / grid.weights) * blockTypes[type].bytes;
  const coded = new Float32Array(columns);
  const error = { squaredError: 0, squaredNorm: 0, coupledError: 0 };
  const targets = rowFactors ? values.slice() : values;
  const blocks = rowFactors ? blocksOf(rowFactors, rows) : [independent(rows)];
  for (const block of blocks) {
    for (let at = 0; at < block.size; at++) {
      const row = block.first + at;
      const target = targets.subarray(row * columns, (row + 1) * columns);
      const cost = coder.code(target, coded, out.subarray(row * rowBytes, (row + 1) * rowBytes));
      addErrors(error, values.subarray(row * columns, (row + 1) * columns), coded);
      const diagonal = rowFactors ? block.values[at * block.stride + at]! : 1;
      error.coupledError += cost / (diagonal * diagonal);
      if (rowFactors) passOn(target, { coded, block, at }, targets);
    }
  }
  return error;
}

function independent(rows: number): FactorBlock {
  return { first: 0, size: rows, values: new Float32Array(0), stride: 0 };
}

function addErrors(error: CoupledError, row: Float32Array, coded: Float32Array): void {
  for (let j = 0; j < row.length; j++) {
    const difference = row[j]! - coded[j]!;
    error.squaredError += difference * difference;
    error.squaredNorm += row[j]! * row[j]!;
  }
}

interface CodedRow {
  readonly coded: Float32Array;
  readonly block: FactorBlock;
  /** Of the row within its block. */
  readonly at: number;
}

/** Moves what a row lacks to the rows after it. */
function passOn(target: Float32Array, { coded, block, at }: CodedRow, targets: Float32Array): void {
  const { first, size, stride, values } = block;
  const columns = target.length;
  const inverse = f(1 / values[at * stride + at]!);
  for (let j = 0; j < columns; j++) target[j] = f(target[j]! - coded[j]!) * inverse;
  for (let later = at + 1; later < size; later++) {
    const share = values[at * stride + later]!;
    if (share === 0) continue;
    const offset = (first + later) * columns;
    for (let j = 0; j < columns; j++)
      targets[offset + j] = targets[offset + j]! - f(share * target[j]!);
  }
}
