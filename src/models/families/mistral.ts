import { attention, embeddings, gatedFeedForward, preNorms } from './decoder-tensors.ts';
import type { Family } from './family.ts';
import { rotaryHalves } from './rotary-halves.ts';
import { everyLayerKeys, everyLayerNote } from './sliding-window.ts';

/**
 * Mistral 7B and its descendants: Llama's layout and GGUF architecture.
 *
 * @see LlamaModel in conversion/llama.py, llama.cpp v0.5.0.
 */
export const mistral: Family = {
  modelType: 'mistral',
  architecture: 'llama',
  ropeFactors: 'llama3',
  tensors: [...embeddings, ...preNorms, ...attention(rotaryHalves), ...gatedFeedForward],
  keys: everyLayerKeys,
  notes: everyLayerNote,
};
