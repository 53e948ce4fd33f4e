import { meta } from '../../formats/gguf/metadata.ts';
import { embeddings, preNorms } from './decoder-tensors.ts';
import type { Family } from './family.ts';
import { everyLayerNote } from './sliding-window.ts';

const layer = 'model.layers.{layer}';
const block = 'blk.{layer}';

/**
 * Phi 3, 3.5 and 4 (mini): Llama with query, key and value in one matrix, gate and up in another, and
 * a rope scaling of its own for long contexts.
 *
 * @see Phi3MiniModel in conversion/phi.py, llama.cpp v0.5.0.
 */
export const phi3: Family = {
  modelType: 'phi3',
  architecture: 'phi3',
  partialRotary: true,
  ropeFactors: 'longrope',
  defaults: { original_max_position_embeddings: 4096, rms_norm_eps: 1e-5 },
  tensors: [
    ...embeddings,
    ...preNorms,
    {
      from: `${layer}.self_attn.qkv_proj.weight`,
      to: `${block}.attn_qkv.weight`,
      shape: ['(H+2*K)*D', 'C'],
    },
    {
      from: `${layer}.self_attn.o_proj.weight`,
      to: `${block}.attn_output.weight`,
      shape: ['C', 'H*D'],
    },
    {
      from: `${layer}.mlp.gate_up_proj.weight`,
      to: `${block}.ffn_up.weight`,
      shape: ['2*F', 'C'],
    },
    {
      from: `${layer}.mlp.down_proj.weight`,
      to: `${block}.ffn_down.weight`,
      shape: ['C', 'F'],
    },
  ],
  keys: ({ sliding_window: window, rope }) => [
    [
      'rope.scaling.original_context_length',
      meta.uint32(rope.original_max_position_embeddings ?? 0),
    ],
    ['attention.sliding_window', meta.uint32(window ?? 0)],
  ],
  notes: everyLayerNote,
};
