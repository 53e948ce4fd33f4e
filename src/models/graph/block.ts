import type { Operations } from '../../graph/operations.ts';
import type { Value } from '../../graph/value.ts';
import { attend, project, type SharedTables } from './attention.ts';
import type { BlockPlan } from './decoder-plan.ts';
import { dense, feedForward } from './feed-forward.ts';
import type { Place } from './model-scope.ts';
import { normalize } from './norm.ts';

type Block = (g: Operations, x: Value, parts: Parts) => Value;

interface Parts {
  readonly place: Place;
  readonly plan: BlockPlan;
  readonly tables: SharedTables;
  readonly norm: (name: string, x: Value) => Value;
  readonly attention: (x: Value) => Value;
  readonly feedForward: (x: Value) => Value;
}

/** Blocks by where their norms stand; `x` and the result are `[B,T,C]`. */
const arrangements: Readonly<Record<BlockPlan['architecture']['norms'], Block>> = {
  before(g, x, { norm, attention, feedForward }) {
    const attended = g.add(x, attention(norm('attn_norm', x)));
    return g.add(attended, feedForward(norm('ffn_norm', attended)));
  },
  bothSides(g, x, { norm, attention, feedForward }) {
    const attended = g.add(x, norm('post_attention_norm', attention(norm('attn_norm', x))));
    return g.add(attended, norm('post_ffw_norm', feedForward(norm('ffn_norm', attended))));
  },
  after(g, x, { norm, attention, feedForward }) {
    const attended = norm('attn_output_norm', g.add(x, attention(x)));
    return norm('layer_output_norm', g.add(attended, feedForward(attended)));
  },
  parallel(g, x, { norm, attention, feedForward }) {
    const normed = norm('attn_norm', x);
    return g.add(x, g.add(attention(normed), feedForward(normed)));
  },
  bottleneck(g, x, { place, norm, plan, tables, feedForward }) {
    const narrow = norm('bottleneck_in_norm', place.linear('bottleneck_in', x));
    const asking = norm('bottleneck_attn_norm', place.linear('bottleneck_attn', x));
    const projections = {
      query: place.linear('attn_q', asking),
      key: place.linear('attn_k', asking),
      value: place.linear('attn_v', x),
    };
    let inner = norm('attn_output_norm', g.add(narrow, attend(place, projections, plan, tables)));
    for (let part = 0; place.has(`ffn_up_${part}.weight`); part++) {
      inner = norm(`ffn_norm_${part}`, g.add(inner, dense(place, inner, plan, `_${part}`)));
    }
    inner = norm('ffn_norm', g.add(inner, feedForward(inner)));
    return norm('layer_output_norm', g.add(x, place.linear('bottleneck_out', inner)));
  },
};

/** What a block needs besides its tensors. */
export interface BlockParts {
  readonly plan: BlockPlan;
  readonly tables: SharedTables;
  /** In place of the whole feed-forward part. */
  readonly feedForward?: (x: Value) => Value;
}

/** One transformer block, `[B,T,C]` → `[B,T,C]`. */
export function block(place: Place, x: Value, parts: BlockParts): Value {
  const { plan, tables } = parts;
  const { norms, parallelWithoutSecondNorm } = plan.architecture;
  const oneNorm = parallelWithoutSecondNorm && !place.has('ffn_norm.weight');
  const out = arrangements[oneNorm ? 'parallel' : norms](place.g, x, {
    place,
    plan,
    tables,
    norm: (name, input) => normalize(place, name, input, plan),
    attention: (input) => attend(place, project(place, input, plan), plan, tables),
    feedForward: parts.feedForward ?? ((input) => feedForward(place, input, plan)),
  });
  return place.tap('output', out);
}
