import { meta } from '../../formats/gguf/metadata.ts';
import { attention, gatedFeedForward, outputNorm, tokenEmbedding } from './decoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';
import { gemmaNorms, scaleKeys, scaleNotes, scoreFields } from './gemma-norms.ts';
import { windowFields, windowKeys } from './sliding-window.ts';
import { plusOne } from './tensor-views.ts';

const own = { ...scoreFields, ...windowFields };
const layersOf27B = 46;

/**
 * Gemma 2: Gemma with norms after both parts of a layer, soft caps on scores and logits, and a
 * sliding window in every other layer.
 *
 * @see Gemma2Model in conversion/gemma.py and src/models/gemma2.cpp, llama.cpp v0.5.0.
 */
export const gemma2: Family<ConfigOf<typeof own>> = {
  modelType: 'gemma2',
  architecture: 'gemma2',
  own,
  names: { hidden_act: 'hidden_activation' },
  activations: ['gelu_pytorch_tanh'],
  defaults: {
    tie_word_embeddings: true,
    head_dim: 256,
    rms_norm_eps: 1e-6,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
  },
  tensors: [
    tokenEmbedding,
    { ...outputNorm, view: plusOne },
    ...gemmaNorms,
    ...attention(),
    ...gatedFeedForward,
  ],
  keys: (config) => [
    ['attn_logit_softcapping', meta.float32(config.attn_logit_softcapping ?? 0)],
    ['final_logit_softcapping', meta.float32(config.final_logit_softcapping ?? 0)],
    ...windowKeys(config, 2),
    ...scaleKeys(config, layersOf27B),
  ],
  unsupported: ({ attn_logit_softcapping: scores, final_logit_softcapping: logits, ...config }) =>
    scores && logits && config.sliding_window
      ? undefined
      : 'no soft caps or no sliding window, where the architecture has them',
  notes: (config) => scaleNotes(config, layersOf27B),
};
