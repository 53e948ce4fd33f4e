import type { Value } from '../../graph/value.ts';
import type { BlockPlan, ExpertsPlan } from './decoder-plan.ts';
import type { Place } from './model-scope.ts';
import { activations } from './norm.ts';

/** The experts of each token and what their outputs are multiplied by, both `[N,k]`. */
export interface Routes {
  readonly indices: Value;
  readonly weights: Value;
}

/** Chooses experts for the rows of `x [N,C]` by the softmax of the router. */
export function route(place: Place, x: Value, plan: ExpertsPlan): Routes {
  const { g } = place;
  const probabilities = g.softmax(place.linear('ffn_gate_inp', x));
  const [best, indices] = g.topK(probabilities, plan.used);
  const shares = plan.normalized ? g.div(best, g.sum(best, -1, true)) : best;
  const weights = plan.scale === 1 ? shares : g.mul(shares, g.scalar(plan.scale));
  return { indices, weights };
}

/**
 * Every expert over all rows `x [N,C]`, those that were not chosen weighted 0: the exact sum `[N,C]`, at
 * `count / used` times the work that is needed.
 */
export function allExperts(place: Place, x: Value, plan: BlockPlan, routes: Routes): Value {
  const { g } = place;
  const [rows, width] = x.shape as [number, number];
  const [count, , inner] = place.shape('ffn_down_exps.weight') as [number, number, number];
  const none = g.expand(g.scalar(0), [rows, count]);
  const weights = g.scatterElementsAdd(none, routes.indices, routes.weights, 1);
  place.tap('experts.weights', weights);
  const through = (name: string) => {
    place.tap(`${name}.input`, x);
    const weight = g.reshape(place.weight(`${name}.weight`), [count * inner, width]);
    return place.tap(`${name}.output`, g.reshape(g.linear(x, weight), [rows, count, inner]));
  };
  const gate = activations[plan.architecture.activation](g, through('ffn_gate_exps'));
  // [N,E,F] → [E,N,F]
  const hidden = g.transpose(g.mul(gate, through('ffn_up_exps')), [1, 0, 2]);
  place.tap('ffn_down_exps.input', hidden);
  const down = g.transpose(place.weight('ffn_down_exps.weight'), [0, 2, 1]);
  const weighted = g.mul(hidden, g.reshape(g.transpose(weights, [1, 0]), [count, rows, 1]));
  return place.tap('experts.output', g.sum(g.matmul(weighted, down), 0));
}
