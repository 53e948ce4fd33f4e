import type { GraphBuilder } from '../../graph/builder.ts';
import { sizeOf } from '../../graph/shapes.ts';
import type { Value } from '../../graph/value.ts';
import { observeHessian, observeWeightedHessian } from './observe-hessian.ts';
import { isStack, type ObservedMatrix } from './observed-matrix.ts';
import { tokenWeights } from './token-weights.ts';

/** The most columns and rows of a block of products; there are none without `hessianBlock`. */
export interface ProductBlocks {
  readonly hessianBlock?: number | undefined;
  readonly outputBlock?: number | undefined;
}

/** What the products of a block are made of. */
export interface ProductParts extends ProductBlocks {
  readonly hessianBlock: number;
  /** What enters a matrix, `[...,columns]`; of the stacks here all experts have one `[N,columns]`. */
  readonly input: (matrix: string) => Value;
  /** The gradient by what comes out, `[...,rows]`; of a stack `[N,experts,rows]`. */
  readonly gradient: (matrix: string) => Value;
  /** The gradient by what the block gives: how strong it is says what windows weigh. */
  readonly after: Value;
}

const defaultOutputBlock = 1024;

/**
 * Adds a weighted Hessian for each input and a Gram matrix for each output. A stack of experts has a Hessian of its
 * own, weighted by the gradients of all of them, and no Gram matrix.
 */
export function observeProducts(
  g: GraphBuilder,
  matrices: readonly ObservedMatrix[],
  parts: ProductParts,
): ObservedMatrix[] {
  const sharing = new Map<string, string[]>();
  for (const { matrix } of matrices) {
    const key = `${parts.input(matrix).id} ${isStack(matrix)}`;
    sharing.set(key, [...(sharing.get(key) ?? []), matrix]);
  }
  const strength = g.mean(g.mul(parts.after, parts.after));
  const products = new Map<string, Pick<ObservedMatrix, 'hessian' | 'gram'>>();
  for (const group of sharing.values()) {
    const x = parts.input(group[0]!);
    const tokens = sizeOf(x.shape.slice(0, -1));
    const gradients = group.map((matrix) => g.reshape(parts.gradient(matrix), [tokens, -1]));
    const weights = tokenWeights(g, gradients, strength);
    const { hessianBlock } = parts;
    const hessian = observeWeightedHessian(g, group[0]!, { x, weights, hessianBlock });
    for (const [at, matrix] of group.entries())
      products.set(matrix, {
        hessian,
        ...(!isStack(matrix) && { gram: observeGram(g, matrix, gradients[at]!, parts) }),
      });
  }
  return matrices.map((one) => ({ ...one, ...products.get(one.matrix) }));
}

function observeGram(
  g: GraphBuilder,
  matrix: string,
  dy: Value,
  { outputBlock = defaultOutputBlock }: ProductBlocks,
): ReturnType<typeof observeHessian> {
  const rows = dy.shape.at(-1)!;
  // Blocks of equal size: one that is almost empty would be filled up with zeros.
  const hessianBlock = Math.ceil(rows / Math.max(1, Math.ceil(rows / outputBlock)));
  return observeHessian(g, `${matrix}.output`, { x: dy, hessianBlock });
}
