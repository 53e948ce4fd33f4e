import { softCap as squeeze } from '../../graph/composites/activations.ts';
import type { Value } from '../../graph/value.ts';
import type { BlockPlan } from './decoder-plan.ts';
import type { ModelScope, Place } from './model-scope.ts';
import { normalize } from './norm.ts';
import { headsFirst, ropeTables, turnHeads, type RopeTables } from './rope.ts';

/** Added to the scores of tokens that are not seen: e to this is 0. */
const unseen = -1e30;

/** What all blocks of a graph share, made once: rotary tables and masks. */
export class SharedTables {
  readonly #scope: ModelScope;
  readonly #length: number;
  readonly #padding: Value | undefined;
  readonly #tables = new Map<string, RopeTables>();
  readonly #masks = new Map<number | undefined, Value>();

  /** `present`: i64 `[B,T]`, 0 where a text is padded; all tokens are there when left out. */
  constructor(scope: ModelScope, length: number, present?: Value) {
    this.#scope = scope;
    this.#length = length;
    this.#padding = present && paddingMask(scope, present);
  }

  rope(plan: NonNullable<BlockPlan['rope']>): RopeTables {
    const key = JSON.stringify(plan);
    const known = this.#tables.get(key);
    if (known) return known;
    const tables = ropeTables(this.#scope, plan, this.#length);
    this.#tables.set(key, tables);
    return tables;
  }

  /** Added to scores `[B,K,G,T,S]`: 0, or far below 0 where a token must not look. */
  mask({ causal, window }: BlockPlan): Value | undefined {
    if (!causal) return this.#padding;
    const size = window !== undefined && window < this.#length ? window : undefined;
    const known = this.#masks.get(size);
    if (known) return known;
    const mask = causalMask(this.#scope, this.#length, size);
    this.#masks.set(size, mask);
    return mask;
  }
}

/** `[T,T]`: row t sees columns t − window + 1 to t. */
function causalMask({ g }: ModelScope, length: number, window: number | undefined): Value {
  const at = (shape: readonly number[], shift: number) =>
    g.constant(
      BigInt64Array.from({ length }, (_, index) => BigInt(index + shift)),
      shape,
    );
  const columns = at([1, length], 0);
  const past = g.less(columns, at([length, 1], 1));
  const seen =
    window === undefined ? past : g.and(past, g.greater(columns, at([length, 1], -window)));
  return g.where(seen, g.scalar(0), g.scalar(unseen));
}

function paddingMask({ g }: ModelScope, present: Value): Value {
  const [batch, length] = present.shape as [number, number];
  const seen = g.reshape(g.cast(present, 'bool'), [batch, 1, 1, 1, length]);
  return g.where(seen, g.scalar(0), g.scalar(unseen));
}

/** Queries, keys and values of all heads, `[B,T,heads · D]`. */
export interface Projections {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** `x [B,T,C]` through the query, key and value matrices, which may be one. */
export function project(place: Place, x: Value, plan: BlockPlan): Projections {
  const keys = plan.kvHeads * plan.headWidth;
  if (place.has('attn_qkv.weight')) {
    const fused = place.linear('attn_qkv', x);
    const sizes = [plan.heads * plan.headWidth, keys, plan.kvHeads * plan.valueWidth];
    const [query, key, value] = place.g.split(fused, 2, sizes);
    return { query: query!, key: key!, value: value! };
  }
  const [query, key, value] = ['attn_q', 'attn_k', 'attn_v'].map((name) => place.linear(name, x));
  return { query: query!, key: key!, value: value! };
}

/**
 * Scaled dot-product attention with grouped queries, up to and with the output matrix: `[B,T,C]`.
 *
 * Query heads of one key head are rows of one matrix product, so keys and values are not repeated.
 */
export function attend(
  place: Place,
  projections: Projections,
  plan: BlockPlan,
  tables: SharedTables,
): Value {
  const { g } = place;
  const { heads, kvHeads, headWidth, valueWidth, scale, softCap } = plan;
  const [batch, length] = projections.query.shape as [number, number];
  const groups = heads / kvHeads;
  const query = headsOf(place, projections.query, {
    count: heads,
    plan,
    tables,
    norm: 'attn_q_norm',
  });
  const key = headsOf(place, projections.key, {
    count: kvHeads,
    plan,
    tables,
    norm: 'attn_k_norm',
  });
  const value = g.transpose(
    g.reshape(projections.value, [batch, length, kvHeads, valueWidth]),
    headsFirst,
  );
  const grouped = g.reshape(g.mul(query, g.scalar(scale)), [
    batch,
    kvHeads,
    groups * length,
    headWidth,
  ]);
  const products = g.matmul(grouped, g.transpose(key, [0, 1, 3, 2]));
  const scores = g.reshape(softCap ? squeeze(g, products, softCap) : products, [
    batch,
    kvHeads,
    groups,
    length,
    length,
  ]);
  const mask = tables.mask(plan);
  const weights = g.softmax(mask ? g.add(scores, mask) : scores);
  const rows = g.reshape(weights, [batch, kvHeads, groups * length, length]);
  const mixed = g.reshape(g.matmul(rows, value), [batch, heads, length, valueWidth]);
  const joined = g.reshape(g.transpose(mixed, headsFirst), [batch, length, heads * valueWidth]);
  return place.linear('attn_output', joined);
}

/** Query or key heads `[B,H,T,D]`, normalized and turned where the model does. */
function headsOf(
  place: Place,
  x: Value,
  options: { count: number; plan: BlockPlan; tables: SharedTables; norm: string },
): Value {
  const { g } = place;
  const { count, plan, tables, norm } = options;
  const [batch, length] = x.shape as [number, number];
  const plain = g.reshape(x, [batch, length, count, plan.headWidth]);
  const heads = place.has(`${norm}.weight`) ? normalize(place, norm, plain, plan) : plain;
  if (!plan.rope) return g.transpose(heads, headsFirst);
  return turnHeads(place.scope, heads, plan.rope, tables.rope(plan.rope));
}
