import type { TensorType } from './dtypes.ts';

/**
 * A named tensor whose bytes are read on demand.
 *
 * Shapes are row-major, `[out, in]` for a linear layer; a row is the last dimension, and leading
 * dimensions are flattened into rows. A technique is a function that returns another `Tensor` view.
 */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  /**
   * Reads `count` rows from row `first`, in this tensor's storage type, little-endian.
   * The result may be a view and must not be modified. `into`, long enough for all of it, may be used
   * instead of new memory: the result then is a view of it.
   */
  read(first: number, count: number, into?: Uint8Array): Promise<Uint8Array>;
}

/** Weights in one row: the last dimension, 1 for a scalar. */
export function columnsOf(shape: readonly number[]): number {
  return shape.at(-1) ?? 1;
}

/** Number of rows: the product of every dimension but the last. */
export function rowsOf(shape: readonly number[]): number {
  return shape.slice(0, -1).reduce((product, size) => product * size, 1);
}

/** Number of weights. */
export function weightsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Average bits of a weight in these tensors, 0 when there are none: what llama.cpp prints as BPW. */
export function averageBits(
  tensors: readonly { readonly shape: readonly number[]; readonly bytes: number }[],
): number {
  const weights = tensors.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return weights === 0 ? 0 : (8 * bytes) / weights;
}

/** Some whole rows of a tensor. */
export interface Rows {
  readonly first: number;
  readonly count: number;
}

/** Cuts a tensor into runs of whole rows of at most `weights` weights, or of one row; none when it is empty. */
export function* rowSlabs(shape: readonly number[], weights: number): Generator<Rows> {
  const rows = weightsOf(shape) === 0 ? 0 : rowsOf(shape);
  const most = Math.max(1, Math.floor(weights / columnsOf(shape)));
  for (let first = 0; first < rows; first += most)
    yield { first, count: Math.min(most, rows - first) };
}
