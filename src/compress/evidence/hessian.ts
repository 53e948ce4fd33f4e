/**
 * Σ a aᵀ over tokens, of neighbouring input columns of a matrix; weighted, tokens count by how much the outputs matter
 * there: T Σ s a aᵀ / Σ s over T tokens, s being the mean of (∂ℓ/∂y)² over the matrix' rows (see `tokenWeights`).
 */
export interface Hessian {
  /** Input columns of the matrix. */
  readonly columns: number;
  /** Columns of a block, at most `columns`, which is the full matrix; the last block is filled up with zeros. */
  readonly blockSize: number;
  /** A symmetric matrix a block, one after the other: `[blocks, blockSize, blockSize]`. */
  readonly sums: Float32Array<ArrayBuffer>;
  /** Tokens in the sums. */
  readonly tokens: number;
}

/** Blocks that are not the full matrix have a multiple of so many columns: those of the largest block of a type. */
export const hessianUnit = 256;

/** Hessians one at a time, from memory or a file: those of 1 B parameters have gigabytes. */
export interface HessianSource {
  /** The matrix under whose name the Hessian of each is kept: the first that reads the same activations. */
  readonly keptAs: ReadonlyMap<string, string>;
  /** Of each that is kept. */
  readonly shapes: ReadonlyMap<string, HessianShape>;
  /** Whether tokens count by their gradients: so it is where gradients were collected. */
  readonly weighted: boolean;
  /** The Hessian of a matrix, read now and not kept here; undefined for one that has none. */
  hessianOf(matrix: string): Promise<Hessian | undefined>;
}

/** What is known of a Hessian before it is read. */
export type HessianShape = Omit<Hessian, 'sums'>;

/** The source that reads sums by the name that they are kept under; `shapes` are by that name. */
export function hessianSource(
  kept: Omit<HessianSource, 'hessianOf'>,
  read: (name: string) => Promise<Float32Array<ArrayBuffer>>,
): HessianSource {
  const { keptAs, shapes } = kept;
  return {
    ...kept,
    async hessianOf(matrix) {
      const name = keptAs.get(matrix);
      const shape = name === undefined ? undefined : shapes.get(name);
      return name === undefined || shape === undefined
        ? undefined
        : { ...shape, sums: await read(name) };
    },
  };
}

/** Rows of all blocks of a Hessian, one after the other, and of what fills up the last one. */
export function hessianRows({ columns, blockSize }: Omit<HessianShape, 'tokens'>): number {
  return Math.ceil(columns / blockSize) * blockSize;
}
