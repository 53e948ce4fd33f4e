import {
  attention,
  attentionBiases,
  embeddings,
  feedForwardBiases,
  gatedFeedForward,
  preNorms,
} from './decoder-tensors.ts';
import type { Family } from './family.ts';
import { rotaryHalves } from './rotary-halves.ts';

/**
 * Llama 2 and 3, TinyLlama, SmolLM2 and others of `model_type` llama.
 *
 * @see LlamaModel in conversion/llama.py, llama.cpp v0.5.0.
 */
export const llama: Family = {
  modelType: 'llama',
  architecture: 'llama',
  ropeFactors: 'llama3',
  tensors: [
    ...embeddings,
    ...preNorms,
    ...attention(rotaryHalves),
    ...attentionBiases({
      view: rotaryHalves,
      output: true,
      when: (config) => config.attention_bias === true,
    }),
    ...gatedFeedForward,
    ...feedForwardBiases,
  ],
};
