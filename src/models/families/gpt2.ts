import { z } from 'zod';
import { outputMatrix, withBias } from './decoder-tensors.ts';
import type { ConfigOf, Family, TensorRule } from './family.ts';
import { size } from './model-config.ts';
import { transposed } from './transposed.ts';
import { widened } from './tensor-views.ts';

const own = {
  intermediate_size: size.nullish(),
  scale_attn_weights: z.boolean().nullish(),
  scale_attn_by_inverse_layer_idx: z.boolean().nullish(),
};

/** A matrix stored `[in, out]` with its bias `[out]`. */
function turned(rule: TensorRule): readonly TensorRule[] {
  const [matrix, bias] = withBias(rule) as readonly [TensorRule, TensorRule];
  return [
    { ...matrix, view: transposed },
    { ...bias, shape: rule.shape.slice(1) },
  ];
}

/**
 * GPT-2 and its descendants: learned positions, layer norms, query, key and value in one matrix; a
 * checkpoint stores every matrix of a layer the other way round.
 *
 * @see GPT2Model in conversion/gpt2.py, llama.cpp v0.5.0.
 */
export const gpt2: Family<ConfigOf<typeof own>> = {
  modelType: 'gpt2',
  architecture: 'gpt2',
  own,
  norm: 'layer',
  positions: 'learned',
  names: {
    hidden_size: 'n_embd',
    intermediate_size: 'n_inner',
    num_hidden_layers: 'n_layer',
    num_attention_heads: 'n_head',
    max_position_embeddings: 'n_positions',
    rms_norm_eps: 'layer_norm_epsilon',
    hidden_act: 'activation_function',
  },
  activations: ['gelu_new'],
  defaults: { tie_word_embeddings: true, rms_norm_eps: 1e-5 },
  storedName: (name) => name.replace(/^transformer\./, ''),
  ignored: /^h\.\d+\.attn\.(masked_)?bias$/,
  tensors: [
    { from: 'wte.weight', to: 'token_embd.weight', shape: ['V', 'C'] },
    { from: 'wpe.weight', to: 'position_embd.weight', shape: ['P', 'C'], view: widened },
    ...withBias({ from: 'ln_f', to: 'output_norm', shape: ['C'] }),
    outputMatrix,
    ...withBias({ from: 'h.{layer}.ln_1', to: 'blk.{layer}.attn_norm', shape: ['C'] }),
    ...turned({
      from: 'h.{layer}.attn.c_attn',
      to: 'blk.{layer}.attn_qkv',
      shape: ['C', '(H+2*K)*D'],
    }),
    ...turned({
      from: 'h.{layer}.attn.c_proj',
      to: 'blk.{layer}.attn_output',
      shape: ['H*D', 'C'],
    }),
    ...withBias({ from: 'h.{layer}.ln_2', to: 'blk.{layer}.ffn_norm', shape: ['C'] }),
    ...turned({ from: 'h.{layer}.mlp.c_fc', to: 'blk.{layer}.ffn_up', shape: ['C', 'F'] }),
    ...turned({ from: 'h.{layer}.mlp.c_proj', to: 'blk.{layer}.ffn_down', shape: ['F', 'C'] }),
  ],
  unsupported: (config) =>
    config.scale_attn_weights === false || config.scale_attn_by_inverse_layer_idx
      ? 'scores that are scaled otherwise than by √D'
      : undefined,
};
