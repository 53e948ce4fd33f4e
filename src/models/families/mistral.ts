import { attention, embeddings, gatedFeedForward, preNorms } from './decoder-tensors.ts';
import type { Family } from './family.ts';

/**
 * Mistral 7B and its descendants: Llama's layout and GGUF architecture.
 *
 * @see LlamaModel in conversion/llama.py, llama.cpp v0.5.0.
 */
export const mistral: Family = {
  modelType: 'mistral',
  architecture: 'llama',
  ropeFactors: true,
  tensors: [...embeddings, ...preNorms, ...attention('rotaryHalves'), ...gatedFeedForward],
  notes: ({ sliding_window: window, max_position_embeddings: context }) =>
    window && window < context
      ? [
          `The model attends to a sliding window of ${window} tokens; GGUF's llama architecture ` +
            `attends to all of them, so answers differ from the original beyond ${window} tokens.`,
        ]
      : [],
};
