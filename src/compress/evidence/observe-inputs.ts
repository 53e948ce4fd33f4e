import { GraphBuilder } from '../../graph/builder.ts';
import { blockGraph } from '../../models/graph/decoder.ts';
import type { GraphSizes } from '../../models/graph/embedding.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { observeActivations } from './observe-activations.ts';
import {
  blockTaps,
  expertWeights,
  isStack,
  matricesOf,
  routedTokens,
  type ObservedGraph,
  type ObservedMatrix,
} from './observed-matrix.ts';

/**
 * A block's graph with the sums of squares, and more, of what enters its matrices; of experts, over the tokens that
 * are sent to them. Matrices that read the same activations share an output.
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
  const shared = new Map<string, readonly ObservedMatrix[]>();
  const found = matrices.flatMap((matrix) => {
    const x = of(`${matrix}.input`);
    const key = `${x.id} ${isStack(matrix)}`;
    const { hessianBlock } = sizes;
    const given = { x, routed: isStack(matrix) ? routed : undefined, hessianBlock };
    const known = shared.get(key) ?? observeActivations(g, matrix, given);
    shared.set(key, known);
    return known.map((one) => ({ ...one, matrix }));
  });
  return { graph: g.build(), matrices: found };
}
