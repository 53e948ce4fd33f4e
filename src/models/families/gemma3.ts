import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import { attention, embeddings, gatedFeedForward, headNorms } from './decoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';
import { gemmaNorms, scaleKeys, scaleNotes, scoreFields } from './gemma-norms.ts';
import { windowFields, windowKeys } from './sliding-window.ts';
import { plusOne } from './tensor-views.ts';

const own = {
  ...scoreFields,
  ...windowFields,
  use_bidirectional_attention: z.boolean().nullish(),
};
const layersOf27B = 62;

/**
 * Gemma 3, text only: norms on query and key heads, and five layers with a sliding window and a
 * rotary base of their own for every layer that attends to all tokens.
 *
 * @see Gemma3Model in conversion/gemma.py and src/models/gemma3.cpp, llama.cpp v0.5.0.
 * @remarks Differs: rows of the embedding beyond the tokenizer's tokens are kept.
 */
export const gemma3: Family<ConfigOf<typeof own>> = {
  modelType: 'gemma3_text',
  architecture: 'gemma3',
  own,
  names: { hidden_act: 'hidden_activation' },
  activations: ['gelu_pytorch_tanh'],
  defaults: {
    tie_word_embeddings: true,
    head_dim: 256,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 131072,
    rope_theta: 1e6,
    rope_local_base_freq: 1e4,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
  },
  tensors: [
    ...embeddings.map((rule) =>
      rule.to === 'output_norm.weight' ? { ...rule, view: plusOne } : rule,
    ),
    ...gemmaNorms,
    ...attention(),
    ...headNorms.map((rule) => ({ ...rule, view: plusOne })),
    ...gatedFeedForward,
  ],
  keys: (config) => [
    ...(config.final_logit_softcapping
      ? [['final_logit_softcapping', meta.float32(config.final_logit_softcapping)] as const]
      : []),
    ...windowKeys(config, 6),
    ...(config.rope.windowTheta
      ? [['rope.freq_base_swa', meta.float32(config.rope.windowTheta)] as const]
      : []),
    ...scaleKeys(config, layersOf27B),
  ],
  unsupported: (config) => {
    if (config.use_bidirectional_attention) return 'attention in both directions';
    return config.attn_logit_softcapping ? 'soft caps on attention scores' : undefined;
  },
  notes: (config) => scaleNotes(config, layersOf27B),
};
