import type { EncodableType } from '../../kernels/kernels.ts';
import type { TensorEvidence } from '../evidence/evidence.ts';
import { expertRuns } from './expert-runs.ts';
import type { Rounder } from './rounder.ts';
import type { RowSample } from './sample-rows.ts';
import { columnImportance, type TensorUse } from './uses.ts';

/** Some rows of a tensor and what is known of them. */
export interface SampledTensor {
  readonly name: string;
  /** Of the whole tensor, all matrices of a stack. */
  readonly rows: number;
  readonly columns: number;
  readonly sample: RowSample;
  /** `[sampled rows, columns]`. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly uses: readonly TensorUse[];
  readonly evidence: TensorEvidence | undefined;
}

/** Predicted KL divergence of storing the whole tensor as `type`, nats a token. */
export async function sampledCost(
  tensor: SampledTensor,
  type: EncodableType,
  round: Rounder,
): Promise<number> {
  const { name, columns, values, evidence, sample, uses } = tensor;
  const importance = columnImportance(uses);
  const rowsEach = tensor.rows / uses[0]!.experts;
  let cost = 0;
  for (const { expert, first, count } of expertRuns(sample.rows, rowsEach)) {
    const some = values.subarray(first * columns, (first + count) * columns);
    const weights = importance.subarray(expert * columns, (expert + 1) * columns);
    const rows = { tensor: name, type, columns, values: some, importance: weights };
    const rounded = await round({ ...rows, evidence, expert });
    for (let at = 0; at < count; at++) {
      const row = [at * columns, (at + 1) * columns] as const;
      const squares = squaredDifferences(some.subarray(...row), rounded.subarray(...row));
      cost += rowCost(tensor, first + at, expert, squares);
    }
  }
  return cost;
}

function squaredDifferences(values: Float32Array, rounded: Float32Array): Float64Array {
  return Float64Array.from(values, (value, at) => (value - rounded[at]!) ** 2);
}

/** What the rows that this one stands for cost together. */
function rowCost(
  { uses, columns, sample }: SampledTensor,
  at: number,
  expert: number,
  squares: Float64Array,
): number {
  let cost = 0;
  for (const use of uses) {
    const weights = use.columns.subarray(expert * columns, (expert + 1) * columns);
    let error = 0;
    for (let column = 0; column < columns; column++) error += weights[column]! * squares[column]!;
    cost += use.rows[sample.rows[at]!]! * error;
  }
  return (sample.weights[at]! * cost) / 2;
}
