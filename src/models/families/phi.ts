import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import { outputMatrix, tokenEmbedding, withBias } from './decoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';

const own = { qk_layernorm: z.boolean().nullish() };
const layer = 'model.layers.{layer}';
const block = 'blk.{layer}';

/**
 * Phi 1, 1.5 and 2: attention and feed-forward part side by side after one layer norm, biases
 * everywhere, and rotary positions in a part of each head.
 *
 * @see Phi2Model in conversion/phi.py, llama.cpp v0.5.0.
 * @remarks Differs: the feed-forward width is that of config.json instead of 4 · C.
 */
export const phi: Family<ConfigOf<typeof own>> = {
  modelType: 'phi',
  architecture: 'phi2',
  own,
  norm: 'layer',
  names: { rms_norm_eps: 'layer_norm_eps' },
  activations: ['gelu_new'],
  partialRotary: true,
  defaults: { partial_rotary_factor: 0.5, rms_norm_eps: 1e-5 },
  tensors: [
    tokenEmbedding,
    ...withBias({ from: 'model.final_layernorm', to: 'output_norm', shape: ['C'] }),
    outputMatrix,
    { from: 'lm_head.bias', to: 'output.bias', shape: ['V'] },
    ...(
      [
        ['input_layernorm', 'attn_norm', ['C']],
        ['self_attn.q_proj', 'attn_q', ['H*D', 'C']],
        ['self_attn.k_proj', 'attn_k', ['K*D', 'C']],
        ['self_attn.v_proj', 'attn_v', ['K*D', 'C']],
        ['self_attn.dense', 'attn_output', ['C', 'H*D']],
        ['mlp.fc1', 'ffn_up', ['F', 'C']],
        ['mlp.fc2', 'ffn_down', ['C', 'F']],
      ] as const
    ).flatMap(([from, to, shape]) =>
      withBias({ from: `${layer}.${from}`, to: `${block}.${to}`, shape }),
    ),
  ],
  keys: () => [['tokenizer.ggml.add_bos_token', meta.bool(false)]],
  unsupported: ({ qk_layernorm: headNorms, tie_word_embeddings: tied }) => {
    if (headNorms) return 'norms of query and key heads';
    return tied ? 'an output matrix tied to the embedding' : undefined;
  },
};
