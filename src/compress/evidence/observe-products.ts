import type { GraphBuilder } from '../../graph/builder.ts';
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
  /** What enters a matrix, any shape `[...,columns]`. */
  readonly input: (matrix: string) => Value;
  /** The gradient by what comes out, `[...,rows]`. */
  readonly gradient: (matrix: string) => Value;
  /** The gradient by what the block gives: how strong it is says what windows weigh. */
  readonly after: Value;
}

const defaultOutputBlock = 1024;

/** Adds a weighted Hessian for each input and a Gram matrix for each output; experts have neither. */
export function observeProducts(
  g: GraphBuilder,
  matrices: readonly ObservedMatrix[],
  parts: ProductParts,
): ObservedMatrix[] {
  const plain = matrices.map(({ matrix }) => matrix).filter((matrix) => !isStack(matrix));
  const sharing = new Map<number, string[]>();
  for (const matrix of plain) {
    const { id } = parts.input(matrix);
    sharing.set(id, [...(sharing.get(id) ?? []), matrix]);
  }
  const strength = g.mean(g.mul(parts.after, parts.after));
  const products = new Map<string, Pick<ObservedMatrix, 'hessian' | 'gram'>>();
  for (const group of sharing.values()) {
    const gradients = group.map((matrix) => rowsOf(g, parts.gradient(matrix)));
    const x = parts.input(group[0]!);
    const weights = tokenWeights(g, gradients, strength);
    const { hessianBlock } = parts;
    const hessian = observeWeightedHessian(g, group[0]!, { x, weights, hessianBlock });
    for (const [at, matrix] of group.entries())
      products.set(matrix, { hessian, gram: observeGram(g, matrix, gradients[at]!, parts) });
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

function rowsOf(g: GraphBuilder, x: Value): Value {
  return g.reshape(x, [-1, x.shape.at(-1)!]);
}
