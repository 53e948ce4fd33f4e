import { fakeModel } from '../models/fake-model.cases.ts';
import type { Model } from '../models/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { seededRandom } from '../util/random.ts';

/** A matrix named `w` with these weights, `[rows, columns]`. */
export function tensorOf(weights: Float32Array<ArrayBuffer>, columns: number): Tensor {
  return {
    name: 'w',
    shape: [weights.length / columns, columns],
    type: 'F32',
    read: async (first, count) =>
      new Uint8Array(weights.buffer.slice(4 * first * columns, 4 * (first + count) * columns)),
  };
}

/** Weights drawn from N(0, 1). */
export function normalWeights(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

/** A model of one matrix. */
export function modelOf(tensor: Tensor): Model {
  const empty = fakeModel({ architecture: 'llama', shapes: {} });
  return { ...empty, tensors: new Map([[tensor.name, tensor]]) };
}
