import {
  attention,
  gatedFeedForward,
  outputNorm,
  preNorms,
  tokenEmbedding,
} from './decoder-tensors.ts';
import type { Family } from './family.ts';
import { plusOne } from './tensor-views.ts';

/**
 * Gemma 1: norm weights stored less one, and an embedding that the architecture scales by √C and
 * uses as the output matrix.
 *
 * @see GemmaModel in conversion/gemma.py, llama.cpp v0.5.0.
 */
export const gemma: Family = {
  modelType: 'gemma',
  architecture: 'gemma',
  activations: ['gelu_pytorch_tanh', 'gelu'],
  defaults: { tie_word_embeddings: true, head_dim: 256, rms_norm_eps: 1e-6 },
  tensors: [
    tokenEmbedding,
    { ...outputNorm, view: plusOne },
    ...preNorms.map((rule) => ({ ...rule, view: plusOne })),
    ...attention(),
    ...gatedFeedForward,
  ],
};
