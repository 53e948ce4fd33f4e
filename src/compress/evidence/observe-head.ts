import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate, gradientName } from '../../graph/differentiate.ts';
import type { Graph } from '../../graph/graph.ts';
import { architectureOf } from '../../models/graph/architectures.ts';
import { headGraph } from '../../models/graph/decoder.ts';
import { parameter } from '../../models/graph/decoder-plan.ts';
import type { GraphSizes } from '../../models/graph/embedding.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { sampleLabels } from './sample-labels.ts';
import { observeActivations } from './observe-activations.ts';
import { observeWeightedHessian } from './observe-hessian.ts';
import { observed, type ObservedGraph } from './observed-matrix.ts';

/** The matrix that gives logits: the embedding where they are one. */
export function headMatrix({ tensors }: ModelOutline): string {
  return tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight';
}

/** A window, and the columns of a block of its Hessian, if there is to be one. */
export type HeadSizes = GraphSizes & { readonly hessianBlock: number | undefined };

/** The last norm, and sums of what it gives to the output matrix. */
export function observeHeadInput(model: ModelOutline, sizes: HeadSizes): ObservedGraph {
  const head = headGraph(model, sizes);
  const x = head.outputs.find(({ name }) => name === 'hidden')!.value;
  const g = new GraphBuilder({ ...head, outputs: [] });
  const { hessianBlock } = sizes;
  const matrices = observeActivations(g, 'output', { x, routed: undefined, hessianBlock });
  return { graph: g.build(), matrices };
}

/**
 * Backward through the head at `rows` positions: besides `input` `[B,T,C]` and `positions`, takes `uniform`,
 * `counted` (1, or 0 for rows that stand for nothing) and `before.gradient` `[B,T,C]`, to which it adds the
 * gradient of −Σ ln p of tokens drawn from the model: `input.gradient`. Output `out_sum2` `[V]`: the sums of
 * squared gradients by the output matrix's rows. A Hessian weighs tokens by the mean of those.
 *
 * @remarks Those are p − p² in expectation, which is what is summed: drawn ones would miss rare tokens.
 */
export function observeHeadGradients(
  model: ModelOutline,
  sizes: HeadSizes,
  rows: number,
): ObservedGraph {
  const head = headGraph(model, { ...sizes, logits: rows });
  const logits = head.outputs.find(({ name }) => name === 'logits')!.value;
  const hidden = head.outputs.find(({ name }) => name === 'hidden')!.value;
  const g = new GraphBuilder({ ...head, outputs: [] });
  const counted = g.reshape(g.input('counted', 'f32', [rows]), [rows, 1]);
  const probabilities = g.softmax(logits);
  const labels = sampleLabels(g, probabilities, g.input('uniform', 'f32', [rows]));
  const picked = g.gatherElements(g.logSoftmax(logits), labels, 1);
  g.output('loss', g.neg(g.sum(g.mul(picked, counted))));
  const variance = g.sub(probabilities, g.mul(probabilities, probabilities));
  const architecture = architectureOf(model.architecture, 'decoder');
  const cap = parameter(model, architecture, 'final_logit_softcapping');
  const slope = cap ? slopeOfCap(g, logits, cap) : undefined;
  const squares = slope ? g.mul(variance, g.mul(slope, slope)) : variance;
  const ofTokens = g.mul(squares, counted);
  const value = g.sum(ofTokens, 0);
  g.output('out_sum2', value);
  const sums = observed('output', 'outputs', { sums: 'out_sum2', value });
  const { hessianBlock } = sizes;
  if (hessianBlock === undefined) return { graph: addedUp(g), matrices: [sums] };
  const positions = head.inputs.find(({ name }) => name === 'positions')!.value;
  const x = g.gather(g.reshape(hidden, [-1, hidden.shape.at(-1)!]), positions);
  const weights = g.mean(ofTokens, 1, true);
  const hessian = observeWeightedHessian(g, 'output', { x, weights, hessianBlock });
  return { graph: addedUp(g), matrices: [{ ...sums, hessian }] };
}

/** The derivative of c·tanh(y / c), from its values: 1 − (z / c)². */
function slopeOfCap(
  g: GraphBuilder,
  capped: ReturnType<GraphBuilder['scalar']>,
  cap: number,
): ReturnType<GraphBuilder['scalar']> {
  const share = g.div(capped, g.scalar(cap));
  return g.sub(g.scalar(1), g.mul(share, share));
}

/** Goes back through the head, and adds what comes of it to the gradient of earlier positions. */
function addedUp(head: GraphBuilder): Graph {
  const graph = differentiate(head.build(), 'loss', ['input']);
  const name = gradientName('input');
  const gradient = graph.outputs.find((output) => output.name === name)!.value;
  const others = graph.outputs.filter((output) => output.name !== name && output.name !== 'loss');
  const g = new GraphBuilder({ ...graph, outputs: others });
  const before = g.input(gradientName('before'), 'f32', gradient.shape);
  g.output(name, g.add(before, gradient));
  return g.build();
}
