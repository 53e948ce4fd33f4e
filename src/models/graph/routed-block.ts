import type { Graph } from '../../graph/graph.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import type { Value } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import { requiredParameter } from '../hyper-parameters.ts';
import { architectureOf } from './architectures.ts';
import { SharedTables } from './attention.ts';
import { block } from './block.ts';
import { blockPlan, type ExpertsPlan } from './decoder-plan.ts';
import type { GraphSizes } from './embedding.ts';
import { route } from './experts.ts';
import { sharedExpert } from './feed-forward.ts';
import { ModelScope, type ModelOutline, type Place } from './model-scope.ts';
import { activations } from './norm.ts';

/**
 * A block with experts up to them, so that each expert may run on its own tokens only. Input `input`
 * `[B,T,C]`; outputs `hidden` `[B,T,C]`, all of the block's output but the experts' part,
 * `experts.input` `[N,C]` (N = B·T), and `experts.indices` (i64) and `experts.weights`, both `[N,k]`.
 * Weights are named as in `blockGraph`.
 *
 * @throws PithError `unsupported` for a block without experts.
 */
export function routedBlockGraph(model: ModelOutline, index: number, sizes: GraphSizes): Graph {
  const architecture = architectureOf(model.architecture, 'decoder');
  const plan = blockPlan(model, architecture, index, sizes.length);
  const scope = new ModelScope(model);
  const place = scope.block(index, 'anyBlock');
  const routing = demandExperts(place, plan.experts, architecture.norms);
  const width = requiredParameter(model, 'embedding_length');
  const input = scope.g.input('input', 'f32', [sizes.batch, sizes.length, width]);
  const feedForward = (x: Value): Value => {
    const rows = scope.g.reshape(x, [-1, width]);
    const { indices, weights } = route(place, rows, routing);
    scope.g.output('experts.input', rows);
    scope.g.output('experts.indices', indices);
    scope.g.output('experts.weights', weights);
    const shared = sharedExpert(place, rows, plan);
    return shared ? scope.g.reshape(shared, x.shape) : scope.g.scalar(0);
  };
  const tables = new SharedTables(scope, sizes.length);
  scope.g.output('hidden', block(place, input, { plan, tables, feedForward }));
  return scope.finish();
}

/**
 * One expert of a block over `rows` of its tokens: inputs `input` `[rows,C]`, `gate.weight` and
 * `up.weight` `[F,C]` and `down.weight` `[C,F]`; output `hidden` `[rows,C]`. The weights of expert e are
 * the e-th slice of the tensors `ffn_gate_exps.weight`, `ffn_up_exps.weight` and `ffn_down_exps.weight`.
 */
export function expertGraph(model: ModelOutline, index: number, rows: number): Graph {
  const { activation } = architectureOf(model.architecture, 'decoder');
  const place = new ModelScope(model).block(index, 'anyBlock');
  const [, width, inner] = place.shape('ffn_down_exps.weight') as [number, number, number];
  const g = new GraphBuilder();
  const input = g.input('input', 'f32', [rows, width]);
  const gate = g.linear(input, g.input('gate.weight', 'f32', [inner, width]));
  const up = g.linear(input, g.input('up.weight', 'f32', [inner, width]));
  const hidden = g.mul(activations[activation](g, gate), up);
  g.output('hidden', g.linear(hidden, g.input('down.weight', 'f32', [width, inner])));
  return g.build();
}

/** The tokens of one expert, and what its output is multiplied by for each of them. */
export interface ExpertTokens {
  readonly rows: readonly number[];
  readonly weights: readonly number[];
}

/** Sorts tokens by expert: `indices` and `weights` are those of {@link routedBlockGraph}. */
export function tokensByExpert(
  indices: BigInt64Array,
  weights: Float32Array,
  { count, used }: Pick<ExpertsPlan, 'count' | 'used'>,
): ExpertTokens[] {
  const experts = Array.from({ length: count }, () => ({
    rows: [] as number[],
    weights: [] as number[],
  }));
  for (const [at, expert] of indices.entries()) {
    const tokens = experts[Number(expert)]!;
    tokens.rows.push(Math.floor(at / used));
    tokens.weights.push(weights[at]!);
  }
  return experts;
}

function demandExperts(place: Place, experts: ExpertsPlan | undefined, norms: string): ExpertsPlan {
  if (experts && norms === 'before' && place.has('ffn_gate_inp.weight')) return experts;
  throw new PithError(
    'unsupported',
    `The block of this ${place.scope.model.architecture} model has no experts to send tokens to.`,
    'Use blockGraph.',
  );
}
