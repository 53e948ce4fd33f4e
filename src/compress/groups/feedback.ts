import { PithError } from '../../util/errors.ts';
import { inverseFactor, type InverseFactor } from '../../kernels/linear-algebra/cholesky.ts';
import type { HessianShape } from '../evidence/hessian.ts';

/** A block of neighbouring columns whose errors are spread over each other. */
export interface FeedbackBlock {
  /** First column. */
  readonly start: number;
  /** Columns from `start` on, in the order in which they are rounded. */
  readonly order: Int32Array;
  /** `[n, n]` by that order, upper `U` with `(H + λI)⁻¹ = UᵀU`; none when there is no such factor. */
  readonly factor?: Float64Array;
}

/** A Hessian of evidence, or one like it: Σ a aᵀ up to a factor. */
export interface InputProducts extends Pick<HessianShape, 'columns' | 'blockSize'> {
  /** `[blocks, blockSize, blockSize]`, the last block filled up. */
  readonly sums: Float32Array | Float64Array;
}

/** What GPTQ knows of a matrix' inputs. */
export interface Feedback {
  readonly columns: number;
  /** Whether columns of large inputs go first. */
  readonly isOrdered: boolean;
  readonly blocks: readonly FeedbackBlock[];
  /** Mean squared input of each column, up to a factor: the Hessian's diagonal. */
  readonly importance: Float64Array;
  /** Blocks that are rounded to nearest instead, and why; say so to the user. */
  readonly failed: readonly (Extract<InverseFactor, { ok: false }> & { readonly start: number })[];
}

/**
 * Factors the blocks of a Hessian, once for all matrices that read the same inputs.
 *
 * @param options.damping - As of `inverseFactor`.
 * @param options.order - `activations`: columns of a block by falling diagonal (act-order), which asks for scales
 *   that are fitted beforehand; default `natural`.
 * @throws PithError `shape` when the Hessian is not of so many columns.
 * @remarks ⅔ · columns · blockSize² floating-point operations.
 */
export function prepareFeedback(
  { columns, blockSize, sums }: InputProducts,
  options: { damping?: number; order?: 'natural' | 'activations' } = {},
): Feedback {
  const count = Math.ceil(columns / blockSize);
  if (sums.length !== count * blockSize * blockSize)
    throw new PithError(
      'shape',
      `A Hessian of ${sums.length} numbers in blocks of ${blockSize} columns is not one of ${columns} columns.`,
    );
  const isOrdered = options.order === 'activations';
  const importance = Float64Array.from(
    { length: columns },
    (_, at) => sums[at * blockSize + (at % blockSize)]!,
  );
  const failed: Feedback['failed'][number][] = [];
  const blocks = Array.from({ length: count }, (_, index): FeedbackBlock => {
    const start = index * blockSize;
    const size = Math.min(blockSize, columns - start);
    const order = Int32Array.from({ length: size }, (_, at) => at);
    if (isOrdered) order.sort((a, b) => importance[start + b]! - importance[start + a]! || a - b);
    const block = sums.subarray(start * blockSize, (start + blockSize) * blockSize);
    const ordered = new Float64Array(size * size);
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++)
        ordered[i * size + j] = block[order[i]! * blockSize + order[j]!]!;
    const found = inverseFactor(ordered, size, options);
    if (found.ok) return { start, order, factor: found.factor };
    failed.push({ ...found, start });
    return { start, order };
  });
  return { columns, isOrdered, blocks, importance, failed };
}
