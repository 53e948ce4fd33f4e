import type { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/value.ts';
import { observeHessian } from './observe-hessian.ts';
import { observed, sumOfSquares, type ObservedMatrix } from './observed-matrix.ts';

/** What is observed of activations, and how. */
export interface ObservedActivations {
  /** `[..., C]`; of a stack of experts `[N, C]`, or `[E, N, C]` where each has its own. */
  readonly x: Value;
  /** Of a stack: 1 where a token goes to an expert, `[N, E]`. */
  readonly routed: Value | undefined;
  readonly hessianBlock: number | undefined;
}

/**
 * Outputs with sums over the tokens of what enters a matrix: squares by column, squared peaks by blocks of 32 and 256
 * columns and, of a matrix that is no stack, Hessians if they are asked for.
 */
export function observeActivations(
  g: GraphBuilder,
  matrix: string,
  { x, routed, hessianBlock }: ObservedActivations,
): ObservedMatrix[] {
  const peaks32 = peaksOf(g, g.abs(x), 32);
  const sides = { inputs: x, peaks32, peaks256: peaksOf(g, peaks32, 8) } as const;
  const found = Object.entries(sides).map(([side, values]) => {
    const sums = `${matrix}.${side}`;
    const value = routed ? sumsOfExperts(g, values, routed) : sumOfSquares(g, values);
    g.output(sums, value);
    return observed(matrix, side as keyof typeof sides, { sums, value });
  });
  if (hessianBlock === undefined || routed) return found;
  const hessian = observeHessian(g, matrix, { x, hessianBlock });
  return found.map((one) => (one.side === 'inputs' ? { ...one, hessian } : one));
}

/** The largest of so many neighbours each, of `x [..., C]`, none of which is negative: `[..., ⌈C / size⌉]`. */
function peaksOf(g: GraphBuilder, x: Value, size: number): Value {
  const columns = x.shape.at(-1)!;
  const blocks = Math.ceil(columns / size);
  const missing = blocks * size - columns;
  const filled = missing > 0 ? g.pad(x, -1, 0, missing) : x;
  return g.reduceMax(g.reshape(filled, [...x.shape.slice(0, -1), blocks, size]), -1);
}

/** Of `x [N,C]` or `[E,N,C]`, sums of squares over the tokens of each expert, `[E,C]`. */
function sumsOfExperts(g: GraphBuilder, x: Value, routed: Value): Value {
  const squares = g.mul(x, x);
  if (x.shape.length === 2) return g.gemm(routed, squares, { transA: true });
  const [tokens, experts] = routed.shape as [number, number];
  const mask = g.reshape(g.transpose(routed, [1, 0]), [experts, tokens, 1]);
  return g.sum(g.mul(squares, mask), 1);
}
