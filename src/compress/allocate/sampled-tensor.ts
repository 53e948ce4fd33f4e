import type { EncodableType } from '../../kernels/kernels.ts';
import type { TensorEvidence } from '../evidence/evidence.ts';
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
  const { name, columns, values, evidence } = tensor;
  const importance = columnImportance(tensor.uses);
  let cost = 0;
  for (const { expert, first, count } of runsOfExperts(tensor)) {
    const some = values.subarray(first * columns, (first + count) * columns);
    const weights = importance.subarray(expert * columns, (expert + 1) * columns);
    const rows = { tensor: name, type, columns, values: some, importance: weights };
    const rounded = await round({ ...rows, evidence, expert });
    const errors = Float64Array.from(some, (value, at) => value - rounded[at]!);
    for (let at = 0; at < count; at++) {
      const error = errors.subarray(at * columns, (at + 1) * columns);
      cost += rowCost(tensor, first + at, expert, error);
    }
  }
  return cost;
}

interface Run {
  readonly expert: number;
  /** Among the sampled rows. */
  readonly first: number;
  readonly count: number;
}

/** Neighbouring sampled rows of one matrix. */
function runsOfExperts({ sample, rows, uses }: SampledTensor): Run[] {
  const each = rows / uses[0]!.experts;
  const runs: Run[] = [];
  for (const [at, row] of sample.rows.entries()) {
    const expert = Math.floor(row / each);
    const last = runs.at(-1);
    if (last?.expert === expert) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ expert, first: at, count: 1 });
  }
  return runs;
}

/** What the rows that this one stands for cost together. */
function rowCost(
  { uses, sample }: SampledTensor,
  at: number,
  expert: number,
  error: Float64Array,
): number {
  const row = sample.rows[at]!;
  const cost = uses.reduce((sum, use) => {
    const { rows, columns, hessian } = use;
    const weights = columns.subarray(expert * error.length, (expert + 1) * error.length);
    return sum + rows[row]! * (hessian ? squareIn(hessian, error) : weightedSquare(weights, error));
  }, 0);
  return (sample.weights[at]! * cost) / 2;
}

function weightedSquare(weights: Float64Array, error: Float64Array): number {
  let sum = 0;
  for (const [at, weight] of weights.entries()) sum += weight * error[at]! ** 2;
  return sum;
}

/** eᵀ H e a token: the blocks of H are symmetric, so that half of each is enough. */
function squareIn(
  { blockSize, sums, tokens }: NonNullable<TensorUse['hessian']>,
  error: Float64Array,
): number {
  let total = 0;
  for (let row = 0; row < error.length; row++) {
    const first = row - (row % blockSize);
    const place = row * blockSize - first;
    const last = Math.min(first + blockSize, error.length);
    let sum = (sums[place + row]! * error[row]!) / 2;
    for (let column = row + 1; column < last; column++)
      sum += sums[place + column]! * error[column]!;
    total += error[row]! * sum;
  }
  return (2 * total) / tokens;
}
