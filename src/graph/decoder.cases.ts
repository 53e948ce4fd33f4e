import type { GraphBuilder } from './builder.ts';
import { silu } from './composites/activations.ts';
import { crossEntropy } from './composites/loss.ts';
import { rmsNorm } from './composites/normalization.ts';
import { int64 } from './tensor-data.ts';
import type { Shape, Value } from './value.ts';

/** Sizes of a Llama-like decoder, in the names of a Hugging Face config.json. */
export interface DecoderSizes {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
}

/** Builds one block of a decoder; weights by the names that a checkpoint gives them. */
type Weight = (name: string, ...shape: number[]) => Value;

/**
 * A decoder with its loss, to try whole graphs with: inputs `ids` and `targets` `[B,T]`, `mask`
 * (f32), `cos` and `sin` `[T, head_dim / 2]`, and the weights; outputs `logits` and `loss`. RMSNorm,
 * grouped-query attention with rotary positions, SwiGLU, and the embedding as the head.
 */
export function buildDecoder(g: GraphBuilder, sizes: DecoderSizes, ids: Shape): void {
  const weight: Weight = (name, ...shape) => g.input(`model.${name}.weight`, 'f32', shape);
  const tokens = g.input('ids', 'i64', ids);
  const targets = g.input('targets', 'i64', ids);
  const mask = g.input('mask', 'f32', ids);
  const half = [ids[1]!, sizes.head_dim / 2];
  const positions: Positions = {
    causal: causal(g, ids[1]!),
    cos: g.input('cos', 'f32', half),
    sin: g.input('sin', 'f32', half),
  };
  const embedding = weight('embed_tokens', sizes.vocab_size, sizes.hidden_size);
  let x = g.gather(embedding, tokens);
  for (let layer = 0; layer < sizes.num_hidden_layers; layer++) {
    const own: Weight = (name, ...shape) => weight(`layers.${layer}.${name}`, ...shape);
    const norm = (x: Value, name: string) =>
      rmsNorm(g, x, own(name, sizes.hidden_size), sizes.rms_norm_eps);
    x = g.add(x, attention(g, { x: norm(x, 'input_layernorm'), weight: own, positions }, sizes));
    x = g.add(x, swiGlu(g, norm(x, 'post_attention_layernorm'), own, sizes));
  }
  const last = rmsNorm(g, x, weight('norm', sizes.hidden_size), sizes.rms_norm_eps);
  const logits = g.linear(last, embedding);
  g.output('logits', logits);
  g.output('loss', crossEntropy(g, { logits, targets, mask }));
}

/** cos and sin of position · θ^(−2i / head_dim), `[T, head_dim / 2]`. */
export function rotaryTables(
  tokens: number,
  { head_dim, rope_theta }: DecoderSizes,
): { readonly cos: Float64Array; readonly sin: Float64Array } {
  const half = head_dim / 2;
  const angles = Float64Array.from({ length: tokens * half }, (_, i) => {
    return Math.floor(i / half) * rope_theta ** (-(i % half) / half);
  });
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/** What the queries and keys of every block share. */
interface Positions {
  /** `[T,T]`: −∞ where the key comes after the query, else 0. */
  readonly causal: Value;
  readonly cos: Value;
  readonly sin: Value;
}

function attention(
  g: GraphBuilder,
  { x, weight, positions }: { x: Value; weight: Weight; positions: Positions },
  sizes: DecoderSizes,
): Value {
  const [batch, tokens] = x.shape as [number, number];
  const width = sizes.head_dim;
  const kv = sizes.num_key_value_heads;
  const group = sizes.num_attention_heads / kv;
  // [B,T,C] → [B,kv,per,T,D]
  const heads = (name: string, per: number) => {
    const projection = weight(`self_attn.${name}_proj`, kv * per * width, sizes.hidden_size);
    const split = g.reshape(g.linear(x, projection), [batch, tokens, kv, per, width]);
    return g.transpose(split, [0, 2, 3, 1, 4]);
  };
  const q = rotate(g, heads('q', group), positions);
  const k = rotate(g, heads('k', 1), positions);
  // The scale goes to the queries: they are smaller than the scores.
  const scaled = g.mul(q, g.scalar(width ** -0.5));
  const scores = g.add(g.matmul(scaled, g.transpose(k, [0, 1, 2, 4, 3])), positions.causal);
  const mixed = g.matmul(g.softmax(scores), heads('v', 1));
  const joined = g.reshape(g.transpose(mixed, [0, 3, 1, 2, 4]), [batch, tokens, -1]);
  const out = weight('self_attn.o_proj', sizes.hidden_size, kv * group * width);
  return g.linear(joined, out);
}

/** [a, b] → [a·cos − b·sin, b·cos + a·sin] over the halves of the last axis. */
function rotate(g: GraphBuilder, x: Value, { cos, sin }: Positions): Value {
  const half = x.shape.at(-1)! / 2;
  const [a, b] = g.split(x, -1, [half, half]) as [Value, Value];
  const left = g.sub(g.mul(a, cos), g.mul(b, sin));
  const right = g.add(g.mul(b, cos), g.mul(a, sin));
  return g.concat([left, right], -1);
}

function causal(g: GraphBuilder, tokens: number): Value {
  const positions = g.constant(int64(Array(tokens).keys()));
  const future = g.greater(positions, g.reshape(positions, [tokens, 1]));
  return g.where(future, g.scalar(-Infinity), g.scalar(0));
}

function swiGlu(g: GraphBuilder, x: Value, weight: Weight, sizes: DecoderSizes): Value {
  const { hidden_size, intermediate_size } = sizes;
  const gate = g.linear(x, weight('mlp.gate_proj', intermediate_size, hidden_size));
  const up = g.linear(x, weight('mlp.up_proj', intermediate_size, hidden_size));
  const down = weight('mlp.down_proj', hidden_size, intermediate_size);
  return g.linear(g.mul(silu(g, gate), up), down);
}
