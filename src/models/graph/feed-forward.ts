import type { Value } from '../../graph/value.ts';
import type { BlockPlan } from './decoder-plan.ts';
import { allExperts, route } from './experts.ts';
import type { Place } from './model-scope.ts';
import { activations } from './norm.ts';

/** The feed-forward part of a block, `[B,T,C]` → `[B,T,C]`: plain, gated, or of experts. */
export function feedForward(place: Place, x: Value, plan: BlockPlan): Value {
  if (!plan.experts || !place.has('ffn_gate_inp.weight')) return dense(place, x, plan, '');
  const rows = place.g.reshape(x, [-1, x.shape[2]!]);
  const routed = allExperts(place, rows, plan, route(place, rows, plan.experts));
  const shared = sharedExpert(place, rows, plan);
  return place.g.reshape(shared ? place.g.add(routed, shared) : routed, x.shape);
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

/** An expert that every row of `x [N,C]` goes through, weighted by a gate of its own, if there is one. */
export function sharedExpert(place: Place, x: Value, plan: BlockPlan): Value | undefined {
  if (!place.has('ffn_up_shexp.weight')) return undefined;
  const { g } = place;
  const out = dense(place, x, plan, '_shexp');
  const gate = place.optional('ffn_gate_inp_shexp.weight');
  return gate ? g.mul(out, g.sigmoid(g.linear(x, g.reshape(gate, [1, -1])))) : out;
}
