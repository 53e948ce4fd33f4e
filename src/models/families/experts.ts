import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import { PithError } from '../../util/errors.ts';
import type { Key, TensorRule } from './family.ts';
import { count, size, type ModelConfig } from './model-config.ts';
import { widened } from './tensor-views.ts';

const layer = 'model.layers.{layer}';
const block = 'blk.{layer}';

/**
 * The router and the stacked matrices of the experts.
 *
 * @param part - What the checkpoint calls the part of a layer that holds them.
 * @param matrices - Its names of the gate, up and down matrices.
 */
export function experts(
  part: string,
  [gate, up, down]: readonly [gate: string, up: string, down: string],
): readonly TensorRule[] {
  const from = (matrix: string) => `${layer}.${part}.experts.{E}.${matrix}.weight`;
  return [
    {
      from: `${layer}.${part}.gate.weight`,
      to: `${block}.ffn_gate_inp.weight`,
      shape: ['E', 'C'],
      view: widened,
    },
    { from: from(gate), to: `${block}.ffn_gate_exps.weight`, shape: ['X', 'C'] },
    { from: from(up), to: `${block}.ffn_up_exps.weight`, shape: ['X', 'C'] },
    { from: from(down), to: `${block}.ffn_down_exps.weight`, shape: ['C', 'X'] },
  ];
}

/**
 * The keys of a mixture of experts.
 *
 * @throws {@link PithError} `shape` when a token passes more experts than there are.
 * @param normalized - Whether the weights of the chosen experts are scaled to a sum of 1. llama.cpp
 *   knows it by the architecture and does not read `expert_weights_norm` in those of Pith's families.
 */
export function expertKeys(all: number, used: number, normalized: boolean): readonly Key[] {
  if (used > all) {
    throw new PithError(
      'shape',
      `config.json: each token passes ${used} experts, but there are ${all}.`,
      'Get the config.json that belongs to this model.',
    );
  }
  return [
    ['expert_count', meta.uint32(all)],
    ['expert_used_count', meta.uint32(used)],
    ['expert_weights_norm', meta.bool(normalized)],
  ];
}

/** Fields of Qwen's mixtures of experts. */
export const qwenExpertFields = {
  num_experts: count,
  num_experts_per_tok: count,
  moe_intermediate_size: size,
  norm_topk_prob: z.boolean(),
  decoder_sparse_step: size.nullish(),
  mlp_only_layers: z.array(z.number()).nullish(),
} as const satisfies Record<string, z.ZodType>;

type QwenExperts = ModelConfig & {
  readonly [Name in keyof typeof qwenExpertFields]: z.infer<(typeof qwenExpertFields)[Name]>;
};

/** The keys of Qwen's mixtures of experts. */
export function qwenExpertKeys(config: QwenExperts): readonly Key[] {
  return [
    ...expertKeys(config.num_experts, config.num_experts_per_tok, config.norm_topk_prob),
    ['expert_feed_forward_length', meta.uint32(config.moe_intermediate_size)],
  ];
}

/** GGUF's architectures have experts in every layer. */
export function denseLayers({
  decoder_sparse_step: step,
  mlp_only_layers: dense,
}: QwenExperts): string | undefined {
  const isSparse = (step ?? 1) === 1 && (dense ?? []).length === 0;
  return isSparse ? undefined : 'layers without experts, where the architecture has none';
}

/** Whether llama.cpp, which knows it by the architecture, scales the weights of experts likewise. */
export function normalizationNote(config: QwenExperts, assumed: boolean): readonly string[] {
  if (config.norm_topk_prob === assumed) return [];
  const does = assumed
    ? 'llama.cpp does and the model does not'
    : 'the model does and llama.cpp not';
  return [
    `The weights of the chosen experts may be scaled to a sum of 1: ${does}, so its answers differ ` +
      'from the original.',
  ];
}
