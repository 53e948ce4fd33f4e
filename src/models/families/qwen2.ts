import {
  attention,
  attentionBiases,
  embeddings,
  gatedFeedForward,
  preNorms,
} from './decoder-tensors.ts';
import { slidingWindowNote } from './sliding-window.ts';
import type { Family } from './family.ts';

/**
 * Qwen 1.5, 2 and 2.5: biases on query, key and value; rotary rows in the same order on both sides.
 *
 * @see Qwen2Model in conversion/qwen.py, llama.cpp v0.5.0.
 */
export const qwen2: Family = {
  modelType: 'qwen2',
  architecture: 'qwen2',
  tensors: [
    ...embeddings,
    ...preNorms,
    ...attention(),
    ...attentionBiases({ output: false }),
    ...gatedFeedForward,
  ],
  notes: slidingWindowNote,
};
