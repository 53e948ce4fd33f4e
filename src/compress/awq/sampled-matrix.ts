import { blockTypes } from '../../tensor/block-types.ts';
import { scalarDecoders } from '../../kernels/scalar-decoders.ts';
import type { EncodableType, Kernels } from '../../kernels/kernels.ts';
import { columnsOf, rowsOf, type Tensor } from '../../tensor/tensor.ts';
import type { TensorEvidence } from '../evidence/evidence.ts';
import type { Hessian } from '../evidence/hessian.ts';
import { meanSquares } from '../evidence/moments.ts';
import { scaleOfColumn, type FoldGroup } from './groups.ts';

/** Some rows of a matrix of a group, and what their errors cost. */
export interface SampledMatrix {
  readonly type: EncodableType;
  readonly columns: number;
  /** `[rows, columns]`. */
  readonly values: Float32Array;
  /** The set of scales that each row takes. */
  readonly sets: readonly number[];
  /** The expert that each row belongs to. */
  readonly experts: readonly number[];
  /** Mean square of the gradient by each row, 1 where it was not measured. */
  readonly gradients: readonly number[];
  /** Mean squares of inputs, `[experts, columns]`. */
  readonly inputs: Float64Array;
  readonly hessian: Hessian | undefined;
}

/**
 * Reads every n-th row, so that there are `count` of them or all, beginning with the `offset`-th part of n: rows of
 * different offsets differ, where there are enough.
 */
export async function sampleMatrix(
  tensor: Tensor,
  { sets }: FoldGroup,
  options: {
    type: EncodableType;
    evidence: TensorEvidence;
    hessian: Hessian | undefined;
    count: number;
    offset: number;
  },
): Promise<SampledMatrix> {
  const { type, evidence, hessian, count, offset } = options;
  const columns = columnsOf(tensor.shape);
  const rows = rowsOf(tensor.shape);
  const step = Math.max(1, rows / count);
  const chosen = Array.from({ length: Math.min(count, rows) }, (_, at) =>
    Math.min(rows - 1, Math.floor((at + offset) * step)),
  );
  const values = new Float32Array(chosen.length * columns);
  for (const [at, row] of chosen.entries()) {
    const bytes = await tensor.read(row, 1);
    scalarDecoders[tensor.type](bytes, values.subarray(at * columns, (at + 1) * columns));
  }
  const { inputs, outputs } = evidence;
  const gradients = outputs && meanSquares(outputs);
  const partOf = (row: number, parts: number) => Math.floor(row / (rows / parts));
  return {
    type,
    columns,
    values,
    sets: chosen.map((row) => partOf(row, sets)),
    experts: chosen.map((row) => partOf(row, inputs.experts)),
    gradients: chosen.map((row) => gradients?.[row] ?? 1),
    inputs: meanSquares(inputs),
    hessian,
  };
}

/**
 * What rounding the scaled rows costs, in units of the output's mean square by its gradient:
 * Σ_i g_i Σ_jk Δ_ij H_jk Δ_ik, or Σ_i g_i Σ_j v_j Δ_ij² without a Hessian, Δ = Q(W s) / s − W.
 *
 * @param scales - `[sets, size]` of the group.
 * @remarks Rows · columns weights are encoded; a Hessian adds rows · columns · blockSize multiplications.
 */
export function roundingCost(
  kernels: Kernels,
  matrix: SampledMatrix,
  group: FoldGroup,
  scales: Float64Array,
): number {
  const { columns, values, sets, experts, gradients } = matrix;
  const scaleAt = new Float64Array(columns);
  const scaled = new Float32Array(columns);
  const importance = new Float32Array(columns);
  const { bytes: blockBytes, weights } = blockTypes[matrix.type];
  const encoded = new Uint8Array((columns / weights) * blockBytes);
  const error = new Float64Array(columns);
  let cost = 0;
  for (const [row, gradient] of gradients.entries()) {
    const first = sets[row]! * group.size;
    const inputs = matrix.inputs.subarray(experts[row]! * columns, (experts[row]! + 1) * columns);
    for (let column = 0; column < columns; column++) {
      const scale = scales[first + scaleOfColumn(group, column)]!;
      scaleAt[column] = scale;
      scaled[column] = values[row * columns + column]! * scale;
      importance[column] = inputs[column]! / (scale * scale);
    }
    kernels.encode(matrix.type, scaled, columns, encoded, importance);
    kernels.decode(matrix.type, encoded, scaled);
    for (let column = 0; column < columns; column++)
      error[column] = scaled[column]! / scaleAt[column]! - values[row * columns + column]!;
    const squares = matrix.hessian ? byHessian(error, matrix.hessian) : byMoments(error, inputs);
    cost += gradient * squares;
  }
  return cost;
}

function byMoments(error: Float64Array, inputs: Float64Array): number {
  return error.reduce((sum, delta, column) => sum + inputs[column]! * delta * delta, 0);
}

function byHessian(error: Float64Array, { blockSize, sums, tokens }: Hessian): number {
  let cost = 0;
  for (let row = 0; row < error.length; row++) {
    const start = row - (row % blockSize);
    const end = Math.min(start + blockSize, error.length);
    // Block b begins at b · blockSize² = start · blockSize, so row r of all blocks is at r · blockSize.
    const from = row * blockSize - start;
    let product = 0;
    for (let column = start; column < end; column++)
      product += sums[from + column]! * error[column]!;
    cost += error[row]! * product;
  }
  return cost / tokens;
}
