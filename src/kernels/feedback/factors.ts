/**
 * Upper triangular factors `U` of the inverses of blocks on a matrix' diagonal, `M⁻¹ = UᵀU`: how the error of
 * one index is best made up for by those after it in its block.
 */
export interface Factors {
  /** Indices of a block; the last block may have fewer. */
  readonly blockSize: number;
  /** A square of `blockSize` rows a block, row-major, zeros below the diagonal. */
  readonly values: Float32Array;
}

/** One block of {@link Factors}. */
export interface FactorBlock {
  /** The index of its first row in the whole matrix. */
  readonly first: number;
  readonly size: number;
  /** Element `[i, j]` lies at `i * stride + j`. */
  readonly values: Float32Array;
  readonly stride: number;
}

/** The blocks that cover `length` indices, in order. */
export function blocksOf({ blockSize, values }: Factors, length: number): FactorBlock[] {
  const square = blockSize * blockSize;
  return Array.from({ length: Math.ceil(length / blockSize) }, (_, at) => ({
    first: at * blockSize,
    size: Math.min(blockSize, length - at * blockSize),
    values: values.subarray(at * square, (at + 1) * square),
    stride: blockSize,
  }));
}
