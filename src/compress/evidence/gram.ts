/** Σ ∂ℓ/∂y (∂ℓ/∂y)ᵀ over tokens, of neighbouring output rows of a matrix y = W a. */
export interface Gram {
  /** Output rows of the matrix. */
  readonly rows: number;
  /** Rows of a block, at most `rows`; the last block is filled up with zeros. */
  readonly blockSize: number;
  /** A symmetric matrix a block, one after the other: `[blocks, blockSize, blockSize]`. */
  readonly sums: Float32Array<ArrayBuffer>;
  /** Tokens in the sums. */
  readonly tokens: number;
}

/** What is known of a Gram matrix before it is read. */
export type GramShape = Omit<Gram, 'sums'>;

/** Gram matrices of output gradients one at a time, from memory or a file. */
export interface GramSource {
  readonly shapes: ReadonlyMap<string, GramShape>;
  /** That of a matrix, read now and not kept here; undefined for one that has none: experts, the output matrix. */
  gramOf(matrix: string): Promise<Gram | undefined>;
}

/** The source that reads sums by the name of the matrix. */
export function gramSource(
  shapes: ReadonlyMap<string, GramShape>,
  read: (matrix: string) => Promise<Float32Array<ArrayBuffer>>,
): GramSource {
  return {
    shapes,
    async gramOf(matrix) {
      const shape = shapes.get(matrix);
      return shape && { ...shape, sums: await read(matrix) };
    },
  };
}
