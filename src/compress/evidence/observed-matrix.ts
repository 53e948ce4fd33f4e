import type { GraphBuilder } from '../../graph/builder.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Value } from '../../graph/value.ts';
import { tapNames } from '../../models/graph/decoder.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import type { ObservedHessian } from './observe-hessian.ts';

/** What sums are of: the input of a matrix, its peaks in blocks of columns, or gradients by its output. */
export type Side = 'inputs' | 'peaks32' | 'peaks256' | 'outputs';

/** A matrix of a block and the outputs of a graph that tell of it. */
export interface ObservedMatrix {
  /** Name without a layer's number: `blk.attn_q`. */
  readonly matrix: string;
  readonly side: Side;
  /** Output with the sums, `[experts, size]`; matrices may share it. */
  readonly sums: string;
  readonly experts: number;
  readonly size: number;
  /** Output with the tokens of each expert; every token counts when left out. */
  readonly counts: string | undefined;
  /** Matrices that read the same activations share it. */
  readonly hessian?: ObservedHessian;
  /** Of the gradients by what comes out. */
  readonly gram?: ObservedHessian;
}

/** A block's graph with sums over its tokens. */
export interface ObservedGraph {
  readonly graph: Graph;
  readonly matrices: readonly ObservedMatrix[];
}

/** The weights `[N,E]` of tokens for experts, 0 for those that they are not sent to. */
export const expertWeights = 'blk.experts.weights';

const expertCounts = 'experts.counts';

/** Activations of a block, by name without a layer's number. */
export function blockTaps(model: ModelOutline, kind: number): string[] {
  const prefix = `blk.${kind}.`;
  const names = tapNames(model).filter((name) => name.startsWith(prefix));
  return names.map((name) => `blk.${name.slice(prefix.length)}`);
}

/** The matrices among them, with what goes in or comes out: `blk.attn_q`. */
export function matricesOf(taps: readonly string[], end: 'input' | 'output'): string[] {
  const suffix = `.${end}`;
  return taps
    .filter((name) => name.endsWith(suffix) && name !== 'blk.output' && !name.includes('.experts.'))
    .map((name) => name.slice(0, -suffix.length));
}

/** Whether a matrix is a stack of experts'. */
export function isStack(matrix: string): boolean {
  return matrix.endsWith('_exps');
}

/** Sums `[experts, size]`, or `[size]` of a matrix that every token goes through. */
export function observed(
  matrix: string,
  side: Side,
  { sums, value: { shape } }: { readonly sums: string; readonly value: Value },
): ObservedMatrix {
  const experts = isStack(matrix) ? shape[0]! : 1;
  const counts = isStack(matrix) ? expertCounts : undefined;
  return { matrix, side, sums, experts, size: shape.at(-1)!, counts };
}

/** 1 where a token goes to an expert, `[N,E]`; the tokens of each become an output. */
export function routedTokens(g: GraphBuilder, weights: Value): Value {
  const routed = g.cast(g.greater(weights, g.scalar(0)), 'f32');
  g.output(expertCounts, g.sum(routed, 0));
  return routed;
}

/** Sums of squares over all leading axes, `[C]`. */
export function sumOfSquares(g: GraphBuilder, x: Value): Value {
  const rows = g.reshape(x, [-1, x.shape.at(-1)!]);
  return g.sum(g.mul(rows, rows), 0);
}

/** The outputs of a graph with sums and counts of these matrices. */
export function outputsOf(matrices: readonly ObservedMatrix[]): string[] {
  const names = matrices.flatMap(({ sums, counts }) => [sums, ...(counts ? [counts] : [])]);
  return [...new Set(names)];
}
