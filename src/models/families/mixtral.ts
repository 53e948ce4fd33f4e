import { attention, embeddings, preNorms } from './decoder-tensors.ts';
import { expertKeys, experts } from './experts.ts';
import type { ConfigOf, Family } from './family.ts';
import { count } from './model-config.ts';
import { rotaryHalves } from './rotary-halves.ts';
import { everyLayerKeys, everyLayerNote } from './sliding-window.ts';

const own = { num_local_experts: count, num_experts_per_tok: count };

/**
 * Mixtral: Mistral with a mixture of experts as the feed-forward part.
 *
 * @see LlamaModel in conversion/llama.py, llama.cpp v0.5.0.
 */
export const mixtral: Family<ConfigOf<typeof own>> = {
  modelType: 'mixtral',
  architecture: 'llama',
  own,
  ropeFactors: 'llama3',
  defaults: { num_local_experts: 8, num_experts_per_tok: 2 },
  sizes: (config) => ({ E: config.num_local_experts, X: config.intermediate_size }),
  tensors: [
    ...embeddings,
    ...preNorms,
    ...attention(rotaryHalves),
    ...experts('block_sparse_moe', ['w1', 'w3', 'w2']),
  ],
  keys: (config) => [
    ...everyLayerKeys(config),
    ...expertKeys(config.num_local_experts, config.num_experts_per_tok, true),
  ],
  notes: everyLayerNote,
};
