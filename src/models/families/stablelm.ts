import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import {
  attention,
  attentionBiases,
  gatedFeedForward,
  outputMatrix,
  tokenEmbedding,
  withBias,
} from './decoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';
import { count } from './model-config.ts';

const own = {
  num_attention_heads: count,
  use_parallel_residual: z.boolean(),
  use_qkv_bias: z.boolean(),
  qk_layernorm: z.boolean(),
};
const layer = 'model.layers.{layer}';
const block = 'blk.{layer}';

const hasHeadNorms = (config: ConfigOf<typeof own>) => config.qk_layernorm;

/**
 * StableLM 3B and 2: layer norms, rotary positions in a part of each head; the 12B model runs
 * attention and feed-forward part side by side, and has a norm for every query and key head.
 *
 * @see StableLMModel in conversion/stablelm.py and src/models/stablelm.cpp, llama.cpp v0.5.0.
 * @remarks Differs: norms of heads are stacked; that converter drops them and stops (its
 *   `modify_tensors` returns from a generator). llama.cpp loads them.
 */
export const stablelm: Family<ConfigOf<typeof own>> = {
  modelType: 'stablelm',
  architecture: 'stablelm',
  own,
  norm: 'layer',
  names: { rms_norm_eps: 'layer_norm_eps' },
  partialRotary: true,
  defaults: {
    partial_rotary_factor: 0.25,
    rms_norm_eps: 1e-5,
    use_parallel_residual: false,
    use_qkv_bias: false,
    qk_layernorm: false,
  },
  tensors: [
    tokenEmbedding,
    ...withBias({ from: 'model.norm', to: 'output_norm', shape: ['C'] }),
    outputMatrix,
    ...withBias({ from: `${layer}.input_layernorm`, to: `${block}.attn_norm`, shape: ['C'] }),
    ...attention(),
    ...attentionBiases({ output: false }).map((rule) => ({
      ...rule,
      when: (config: ConfigOf<typeof own>) => config.use_qkv_bias,
    })),
    {
      from: `${layer}.self_attn.q_layernorm.norms.{H}.weight`,
      to: `${block}.attn_q_norm.weight`,
      shape: ['D'],
      when: hasHeadNorms,
    },
    {
      from: `${layer}.self_attn.k_layernorm.norms.{K}.weight`,
      to: `${block}.attn_k_norm.weight`,
      shape: ['D'],
      when: hasHeadNorms,
    },
    ...withBias({
      from: `${layer}.post_attention_layernorm`,
      to: `${block}.ffn_norm`,
      shape: ['C'],
    }).map((rule) => ({
      ...rule,
      when: (config: ConfigOf<typeof own>) => !config.use_parallel_residual,
    })),
    ...gatedFeedForward,
  ],
  keys: (config) => [['use_parallel_residual', meta.bool(config.use_parallel_residual)]],
  unsupported: ({ tie_word_embeddings: tied }) =>
    tied ? 'an output matrix tied to the embedding' : undefined,
};
