import { meta } from '../../formats/gguf/metadata.ts';
import { attention, attentionBiases, embeddings, preNorms } from './decoder-tensors.ts';
import {
  denseLayers,
  experts,
  normalizationNote,
  qwenExpertFields,
  qwenExpertKeys,
} from './experts.ts';
import type { ConfigOf, Family } from './family.ts';
import { size } from './model-config.ts';
import { slidingWindowNote } from './sliding-window.ts';
import { widened } from './tensor-views.ts';

const own = { ...qwenExpertFields, shared_expert_intermediate_size: size };
const from = 'model.layers.{layer}.mlp';
const block = 'blk.{layer}';

/**
 * Qwen 1.5 and 2 with a mixture of experts, and one expert that every token passes, weighted by a
 * gate of its own.
 *
 * @see Qwen2MoeModel in conversion/qwen.py, llama.cpp v0.5.0.
 */
export const qwen2Moe: Family<ConfigOf<typeof own>> = {
  modelType: 'qwen2_moe',
  architecture: 'qwen2moe',
  own,
  defaults: { norm_topk_prob: false },
  sizes: (config) => ({
    E: config.num_experts,
    X: config.moe_intermediate_size,
    S: config.shared_expert_intermediate_size,
  }),
  tensors: [
    ...embeddings,
    ...preNorms,
    ...attention(),
    ...attentionBiases({ output: false }),
    ...experts('mlp', ['gate_proj', 'up_proj', 'down_proj']),
    {
      from: `${from}.shared_expert_gate.weight`,
      to: `${block}.ffn_gate_inp_shexp.weight`,
      shape: ['1', 'C'],
      view: widened,
    },
    {
      from: `${from}.shared_expert.gate_proj.weight`,
      to: `${block}.ffn_gate_shexp.weight`,
      shape: ['S', 'C'],
    },
    {
      from: `${from}.shared_expert.up_proj.weight`,
      to: `${block}.ffn_up_shexp.weight`,
      shape: ['S', 'C'],
    },
    {
      from: `${from}.shared_expert.down_proj.weight`,
      to: `${block}.ffn_down_shexp.weight`,
      shape: ['C', 'S'],
    },
  ],
  keys: (config) => [
    ...qwenExpertKeys(config),
    ['expert_shared_feed_forward_length', meta.uint32(config.shared_expert_intermediate_size)],
  ],
  unsupported: denseLayers,
  notes: (config) => [...slidingWindowNote(config), ...normalizationNote(config, false)],
};
