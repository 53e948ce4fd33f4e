import { attention, embeddings, gatedFeedForward, headNorms, preNorms } from './decoder-tensors.ts';
import type { Family } from './family.ts';
import { slidingWindowNote } from './sliding-window.ts';

/**
 * Qwen 3, dense: norms on query and key heads, whose width config.json states.
 *
 * @see Qwen3Model in conversion/qwen.py, llama.cpp v0.5.0.
 */
export const qwen3: Family = {
  modelType: 'qwen3',
  architecture: 'qwen3',
  tensors: [...embeddings, ...preNorms, ...attention(), ...headNorms, ...gatedFeedForward],
  notes: slidingWindowNote,
};
