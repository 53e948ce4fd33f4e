import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate, gradientName } from '../../graph/differentiate.ts';
import { blockGraph } from '../../models/graph/decoder.ts';
import type { GraphSizes } from '../../models/graph/embedding.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { observeWeightedHessian } from './observe-hessian.ts';
import { observeProducts, type ProductBlocks } from './observe-products.ts';
import {
  blockTaps,
  expertWeights,
  isStack,
  matricesOf,
  observed,
  routedTokens,
  sumOfSquares,
  type ObservedGraph,
  type ObservedMatrix,
} from './observed-matrix.ts';

const expertSum = 'blk.experts.output';
/** Its experts have activations of their own, `[E,N,F]`, and an output only together. */
const lastStack = 'blk.ffn_down_exps';

/**
 * The backward half of a block with the sums of squared gradients by what comes out of its matrices. Besides
 * the block's inputs it takes `hidden.gradient` `[B,T,C]`, and gives `input.gradient`; forward is computed again.
 * Asked for blocks of products, also weighted Hessians and Gram matrices.
 */
export function observeGradients(
  model: ModelOutline,
  kind: number,
  sizes: GraphSizes & ProductBlocks,
): ObservedGraph {
  const known = blockTaps(model, kind);
  const matrices = matricesOf(known, 'output');
  const hasExperts = known.includes(expertWeights);
  const targets = [...matrices.map((name) => `${name}.output`), ...(hasExperts ? [expertSum] : [])];
  const { hessianBlock } = sizes;
  const inputs =
    hessianBlock === undefined
      ? []
      : [...matrices, ...(hasExperts ? [lastStack] : [])].map(inputOf);
  const taps = [...targets, ...inputs, ...(hasExperts ? [expertWeights] : [])];
  const graph = withGradients(blockGraph(model, kind, { ...sizes, taps }), targets);
  const of = (name: string) => graph.outputs.find((output) => output.name === name)!.value;
  const g = new GraphBuilder({ ...graph, outputs: [] });
  g.output(gradientName('input'), of(gradientName('input')));
  const add = (matrix: string, value: ReturnType<typeof of>): ObservedMatrix => {
    const sums = `${matrix}.out_sum2`;
    g.output(sums, value);
    return observed(matrix, 'outputs', { sums, value });
  };
  const gradient = (matrix: string) => of(gradientName(`${matrix}.output`));
  const squared = matrices.map((matrix) => {
    const dy = gradient(matrix);
    // Gradients [N,E,F] by what a stack gives are 0 for experts that a token is not sent to.
    return add(matrix, isStack(matrix) ? g.sum(g.mul(dy, dy), 0) : sumOfSquares(g, dy));
  });
  const after = graph.inputs.find(({ name }) => name === gradientName('hidden'))!.value;
  const input = (matrix: string) => of(inputOf(matrix));
  const found =
    hessianBlock === undefined
      ? squared
      : observeProducts(g, squared, { ...sizes, hessianBlock, input, gradient, after });
  if (!hasExperts) return { graph: g.build(), matrices: found };
  const weights = of(expertWeights);
  routedTokens(g, weights);
  // What an expert gives is multiplied by the token's weight for it before it is added: so is its gradient.
  const dy = of(gradientName(expertSum));
  const scales = g.mul(weights, weights);
  const squares = g.mul(dy, dy);
  const down = add(lastStack, g.gemm(scales, squares, { transA: true }));
  if (hessianBlock === undefined) return { graph: g.build(), matrices: [...found, down] };
  const ofTokens = g.transpose(g.mul(scales, g.mean(squares, 1, true)), [1, 0]);
  const hessian = observeWeightedHessian(g, lastStack, {
    x: input(lastStack),
    weights: g.reshape(ofTokens, [-1, 1]),
    hessianBlock,
  });
  return { graph: g.build(), matrices: [...found, { ...down, hessian }] };
}

function inputOf(matrix: string): string {
  return `${matrix}.input`;
}

function withGradients(
  forward: ReturnType<typeof blockGraph>,
  targets: readonly string[],
): ReturnType<typeof blockGraph> {
  const g = new GraphBuilder(forward);
  const hidden = forward.outputs.find(({ name }) => name === 'hidden')!.value;
  const given = g.input(gradientName('hidden'), 'f32', hidden.shape);
  g.output('loss', g.sum(g.mul(hidden, given)));
  return differentiate(g.build(), 'loss', ['input', ...targets]);
}
