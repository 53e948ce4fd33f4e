import type { Value } from '../../graph/value.ts';
import type { BlockPlan, ExpertsPlan } from './decoder-plan.ts';
import type { Place } from './model-scope.ts';
import { activations } from './norm.ts';

/** The feed-forward part of a block, `[B,T,C]` → `[B,T,C]`: plain, gated, or of experts. */
export function feedForward(place: Place, x: Value, plan: BlockPlan): Value {
  if (!plan.experts || !place.has('ffn_gate_inp.weight')) return dense(place, x, plan, '');
  const rows = place.g.reshape(x, [-1, x.shape[2]!]);
  const routed = experts(place, rows, plan, plan.experts);
  const all = place.has('ffn_up_shexp.weight')
    ? place.g.add(routed, sharedExpert(place, rows, plan))
    : routed;
  return place.g.reshape(all, x.shape);
}

/** down(f(gate(x)) · up(x)), where gate and up may be one matrix, or down(f(up(x))). */
export function dense(place: Place, x: Value, plan: BlockPlan, suffix: string): Value {
  const { g } = place;
  const activate = activations[plan.architecture.activation];
  const up = place.linear(`ffn_up${suffix}`, x);
  const inner = place.shape(`ffn_down${suffix}.weight`)[1]!;
  const finish = (hidden: Value) => place.linear(`ffn_down${suffix}`, hidden);
  if (place.has(`ffn_gate${suffix}.weight`)) {
    const gate = place.linear(`ffn_gate${suffix}`, x);
    return finish(g.mul(activate(g, gate), up));
  }
  if (up.shape.at(-1) === inner) return finish(activate(g, up));
  const [gate, rest] = g.split(up, -1, [inner, inner]);
  return finish(g.mul(activate(g, gate!), rest!));
}

/** An expert that every token goes through, weighted by a gate of its own. */
function sharedExpert(place: Place, x: Value, plan: BlockPlan): Value {
  const { g } = place;
  const out = dense(place, x, plan, '_shexp');
  const gate = 'ffn_gate_inp_shexp.weight';
  if (!place.has(gate)) return out;
  const weight = g.reshape(place.weight(gate), [1, -1]);
  return g.mul(out, g.sigmoid(g.linear(x, weight)));
}

/**
 * Experts over all tokens `x [N,C]`, those that were not chosen weighted 0: the exact sum, at the cost
 * of `count / used` times the needed work.
 */
function experts(place: Place, x: Value, plan: BlockPlan, { count }: ExpertsPlan): Value {
  const { g } = place;
  const rows = x.shape[0]!;
  const weights = route(place, x, plan.experts!);
  place.tap('ffn_gate_exps.input', x);
  place.tap('ffn_up_exps.input', x);
  const inner = place.shape('ffn_down_exps.weight')[2]!;
  const through = (name: string) => {
    const weight = g.reshape(place.weight(`${name}.weight`), [count * inner, x.shape[1]!]);
    return g.reshape(g.linear(x, weight), [rows, count, inner]);
  };
  const gate = activations[plan.architecture.activation](g, through('ffn_gate_exps'));
  // [N,E,F] → [E,N,F]
  const hidden = g.transpose(g.mul(gate, through('ffn_up_exps')), [1, 0, 2]);
  place.tap('ffn_down_exps.input', hidden);
  const down = g.transpose(place.weight('ffn_down_exps.weight'), [0, 2, 1]);
  const weighted = g.mul(hidden, g.reshape(g.transpose(weights, [1, 0]), [count, rows, 1]));
  return g.sum(g.matmul(weighted, down), 0);
}

/** Weights of the experts for each token, `[N,E]`, 0 for those that were not chosen. */
function route(place: Place, x: Value, { count, used, normalized, scale }: ExpertsPlan): Value {
  const { g } = place;
  const probabilities = g.softmax(place.linear('ffn_gate_inp', x));
  const [best, indices] = g.topK(probabilities, used);
  const shares = normalized ? g.div(best, g.sum(best, -1, true)) : best;
  const scaled = scale === 1 ? shares : g.mul(shares, g.scalar(scale));
  const none = g.expand(g.scalar(0), [x.shape[0]!, count]);
  return place.tap('experts.weights', g.scatterElementsAdd(none, indices, scaled, 1));
}
