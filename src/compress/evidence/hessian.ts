/** Σ a aᵀ over tokens, of neighbouring input columns of a matrix. */
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

/** Hessians one at a time, from memory or a file: those of 1 B parameters have gigabytes. */
export interface HessianSource {
  /** The matrix under whose name the Hessian of each is kept: the first that reads the same activations. */
  readonly keptAs: ReadonlyMap<string, string>;
  /** Of each that is kept. */
  readonly shapes: ReadonlyMap<string, HessianShape>;
  /** The Hessian of a matrix, read now and not kept here; undefined for one that has none. */
  hessianOf(matrix: string): Promise<Hessian | undefined>;
}

/** What is known of a Hessian before it is read. */
export type HessianShape = Omit<Hessian, 'sums'>;

/** The source that reads sums by the name that they are kept under; `shapes` are by that name. */
export function hessianSource(
  keptAs: ReadonlyMap<string, string>,
  shapes: ReadonlyMap<string, HessianShape>,
  read: (name: string) => Promise<Float32Array<ArrayBuffer>>,
): HessianSource {
  return {
    keptAs,
    shapes,
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
