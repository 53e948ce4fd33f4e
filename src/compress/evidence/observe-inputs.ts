import { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/value.ts';
import { blockGraph } from '../../models/graph/decoder.ts';
import type { GraphSizes } from '../../models/graph/embedding.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { observeHessian } from './observe-hessian.ts';
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

/**
 * A block's graph with the sums of squares of what enters its matrices; of experts, over the tokens that are
 * sent to them. Matrices that read the same activations share an output.
 */
export function observeInputs(
  model: ModelOutline,
  kind: number,
  sizes: GraphSizes & { readonly hessianBlock?: number | undefined },
): ObservedGraph {
  const known = blockTaps(model, kind);
  const matrices = matricesOf(known, 'input');
  const experts = known.includes(expertWeights) ? [expertWeights] : [];
  const taps = [...matrices.map((name) => `${name}.input`), ...experts];
  const forward = blockGraph(model, kind, { ...sizes, taps });
  const of = (name: string) => forward.outputs.find((output) => output.name === name)!.value;
  const g = new GraphBuilder({ ...forward, outputs: [] });
  g.output('hidden', of('hidden'));
  const routed = experts.length > 0 ? routedTokens(g, of(expertWeights)) : undefined;
  const shared = new Map<string, ObservedMatrix>();
  const found = matrices.map((matrix) => {
    const x = of(`${matrix}.input`);
    const key = `${x.id} ${isStack(matrix)}`;
    const known = shared.get(key);
    if (known) return { ...known, matrix };
    const sums = `${matrix}.in_sum2`;
    const value = isStack(matrix) ? sumsOfExperts(g, x, routed!) : sumOfSquares(g, x);
    g.output(sums, value);
    const one = observed(matrix, sums, value);
    const { hessianBlock } = sizes;
    const found =
      hessianBlock === undefined || isStack(matrix)
        ? one
        : { ...one, hessian: observeHessian(g, matrix, { x, hessianBlock }) };
    shared.set(key, found);
    return found;
  });
  return { graph: g.build(), matrices: found };
}

/** Of `x [N,C]` or `[E,N,C]`, over the tokens of each expert, `[E,C]`. */
function sumsOfExperts(g: GraphBuilder, x: Value, routed: Value): Value {
  const squares = g.mul(x, x);
  if (x.shape.length === 2) return g.gemm(routed, squares, { transA: true });
  const [tokens, experts] = routed.shape as [number, number];
  const mask = g.reshape(g.transpose(routed, [1, 0]), [experts, tokens, 1]);
  return g.sum(g.mul(squares, mask), 1);
}
