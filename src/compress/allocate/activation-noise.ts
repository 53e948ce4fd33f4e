import { readRowsAt } from '../../evaluate/onnx/read-floats.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { BlockType } from '../../tensor/block-types.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { columnsOf } from '../../tensor/tensor.ts';
import { seededRandom } from '../../util/random.ts';
import type { Evidence } from '../evidence/evidence.ts';
import {
  activationBlock,
  roundingNoise,
  type ActivationBlock,
} from '../evidence/rounding-noise.ts';
import { sampleRows } from './sample-rows.ts';
import { usesOf } from './uses.ts';

/** How the noise of a matrix is predicted. */
export interface NoiseOptions {
  readonly evidence: Evidence;
  readonly transcoder: Transcoder;
  /** Rows that are looked at. Default 128. */
  readonly rows?: number;
  /** Chooses the rows. Default 1. */
  readonly seed?: number;
}

const defaultRows = 128;

/** KL divergence, nats a token, that a type's activations cost at run time; 0 for floats. */
export type NoiseOfType = (type: BlockType) => number;

const noNoise: NoiseOfType = () => 0;

/**
 * Predicts what rounding a matrix' activations to 8 bits costs when llama.cpp runs it on a CPU, which depends on the
 * type of the weights by the block that activations are rounded in: ½ Σ g_i w_ij² n_j, n the mean squared error of
 * rounding. Weights that are stored well enough lose more by this than by their own rounding.
 *
 * @returns Nothing but 0 for a matrix of which evidence has no peaks, and for the embedding as a table.
 * @throws PithError as `usesOf`; what reading throws.
 * @remarks Adds to the cost of the weights, as independent errors do. llama.cpp on a GPU rounds in other blocks, or not.
 */
export async function activationNoise(
  tensor: Tensor,
  { evidence, transcoder, rows: count = defaultRows, seed = 1 }: NoiseOptions,
): Promise<NoiseOfType> {
  const known = evidence.tensors.get(tensor.name);
  if (!known?.peaks) return noNoise;
  const uses = usesOf(tensor.name, evidence);
  const [matrix] = uses as [(typeof uses)[number]];
  const columns = columnsOf(tensor.shape);
  const { rows, weights } = sampleRows(uses, count, seededRandom(seed));
  const values = await readRowsAt(tensor, rows, transcoder);
  const perExpert = matrix.rows.length / matrix.experts;
  const costOf = (block: ActivationBlock): number => {
    const noise = roundingNoise(known, block);
    let cost = 0;
    for (const [at, row] of rows.entries()) {
      const expert = Math.floor(row / perExpert) * columns;
      let sum = 0;
      for (let column = 0; column < columns; column++)
        sum += values[at * columns + column]! ** 2 * noise[expert + column]!;
      cost += weights[at]! * matrix.rows[row]! * sum;
    }
    return cost / 2;
  };
  const costs = { 32: costOf(32), 256: costOf(256) };
  return (type) => {
    const block = activationBlock(type);
    return block === undefined ? 0 : costs[block];
  };
}
