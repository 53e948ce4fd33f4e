import type { TensorRule } from './family.ts';
import type { ModelConfig } from './model-config.ts';

const layer = 'model.layers.{layer}';
const block = 'blk.{layer}';

/** The input embedding. */
export const tokenEmbedding: TensorRule = {
  from: 'model.embed_tokens.weight',
  to: 'token_embd.weight',
  shape: ['V', 'C'],
};

/** The norm before the output matrix. */
export const outputNorm: TensorRule = {
  from: 'model.norm.weight',
  to: 'output_norm.weight',
  shape: ['C'],
};

/** The output matrix, which a tied model has not. */
export const outputMatrix: TensorRule = {
  from: 'lm_head.weight',
  to: 'output.weight',
  shape: ['V', 'C'],
  when: (config) => config.tie_word_embeddings !== true,
};

/** Input embedding, final norm and output matrix. */
export const embeddings: readonly TensorRule[] = [tokenEmbedding, outputNorm, outputMatrix];

/** A matrix or a norm with its bias. */
export function withBias({ from, to, shape, ...rest }: TensorRule): readonly TensorRule[] {
  return [
    { from: `${from}.weight`, to: `${to}.weight`, shape, ...rest },
    { from: `${from}.bias`, to: `${to}.bias`, shape: shape.slice(0, 1), ...rest },
  ];
}

/** The norms before attention and before the feed-forward part. */
export const preNorms: readonly TensorRule[] = [
  { from: `${layer}.input_layernorm.weight`, to: `${block}.attn_norm.weight`, shape: ['C'] },
  {
    from: `${layer}.post_attention_layernorm.weight`,
    to: `${block}.ffn_norm.weight`,
    shape: ['C'],
  },
];

/** Query, key, value and output matrices. */
export function attention(view?: TensorRule['view']): readonly TensorRule[] {
  const from = `${layer}.self_attn`;
  const order = view && { view };
  return [
    { from: `${from}.q_proj.weight`, to: `${block}.attn_q.weight`, shape: ['H*D', 'C'], ...order },
    { from: `${from}.k_proj.weight`, to: `${block}.attn_k.weight`, shape: ['K*D', 'C'], ...order },
    { from: `${from}.v_proj.weight`, to: `${block}.attn_v.weight`, shape: ['K*D', 'C'] },
    { from: `${from}.o_proj.weight`, to: `${block}.attn_output.weight`, shape: ['C', 'H*D'] },
  ];
}

/** Biases of query, key and value, and of the output where a family has one. */
export function attentionBiases(options: {
  view?: TensorRule['view'];
  output: boolean;
  when?: (config: ModelConfig) => boolean;
}): readonly TensorRule[] {
  const from = `${layer}.self_attn`;
  const order = options.view && { view: options.view };
  const rules: readonly TensorRule[] = [
    { from: `${from}.q_proj.bias`, to: `${block}.attn_q.bias`, shape: ['H*D'], ...order },
    { from: `${from}.k_proj.bias`, to: `${block}.attn_k.bias`, shape: ['K*D'], ...order },
    { from: `${from}.v_proj.bias`, to: `${block}.attn_v.bias`, shape: ['K*D'] },
    { from: `${from}.o_proj.bias`, to: `${block}.attn_output.bias`, shape: ['C'] },
  ];
  const kept = options.output ? rules : rules.slice(0, 3);
  return kept.map((rule) => (options.when ? { ...rule, when: options.when } : rule));
}

/** Norms of each query and key head. */
export const headNorms: readonly TensorRule[] = [
  { from: `${layer}.self_attn.q_norm.weight`, to: `${block}.attn_q_norm.weight`, shape: ['D'] },
  { from: `${layer}.self_attn.k_norm.weight`, to: `${block}.attn_k_norm.weight`, shape: ['D'] },
];

/** The gated feed-forward part: down(silu(gate(x)) · up(x)). */
export const gatedFeedForward: readonly TensorRule[] = [
  { from: `${layer}.mlp.gate_proj.weight`, to: `${block}.ffn_gate.weight`, shape: ['F', 'C'] },
  { from: `${layer}.mlp.up_proj.weight`, to: `${block}.ffn_up.weight`, shape: ['F', 'C'] },
  { from: `${layer}.mlp.down_proj.weight`, to: `${block}.ffn_down.weight`, shape: ['C', 'F'] },
];

const hasMlpBias = (config: ModelConfig) => config.mlp_bias === true;

/** Biases of the feed-forward part, in models that ask for them. */
export const feedForwardBiases: readonly TensorRule[] = [
  { from: `${layer}.mlp.gate_proj.bias`, to: `${block}.ffn_gate.bias`, shape: ['F'] },
  { from: `${layer}.mlp.up_proj.bias`, to: `${block}.ffn_up.bias`, shape: ['F'] },
  { from: `${layer}.mlp.down_proj.bias`, to: `${block}.ffn_down.bias`, shape: ['C'] },
].map((rule) => ({ ...rule, when: hasMlpBias }) as TensorRule);
