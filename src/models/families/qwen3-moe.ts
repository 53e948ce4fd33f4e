import { attention, embeddings, headNorms, preNorms } from './decoder-tensors.ts';
import {
  denseLayers,
  experts,
  normalizationNote,
  qwenExpertFields,
  qwenExpertKeys,
} from './experts.ts';
import type { ConfigOf, Family } from './family.ts';
import { slidingWindowNote } from './sliding-window.ts';

/**
 * Qwen 3 with a mixture of experts.
 *
 * @see Qwen3MoeModel in conversion/qwen.py, llama.cpp v0.5.0.
 */
export const qwen3Moe: Family<ConfigOf<typeof qwenExpertFields>> = {
  modelType: 'qwen3_moe',
  architecture: 'qwen3moe',
  own: qwenExpertFields,
  defaults: { norm_topk_prob: false },
  sizes: (config) => ({ E: config.num_experts, X: config.moe_intermediate_size }),
  tensors: [
    ...embeddings,
    ...preNorms,
    ...attention(),
    ...headNorms,
    ...experts('mlp', ['gate_proj', 'up_proj', 'down_proj']),
  ],
  keys: qwenExpertKeys,
  unsupported: denseLayers,
  notes: (config) => [...slidingWindowNote(config), ...normalizationNote(config, true)],
};
