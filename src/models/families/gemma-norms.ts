import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import type { Key, TensorRule } from './family.ts';
import type { ModelConfig } from './model-config.ts';
import { plusOne } from './tensor-views.ts';

/** The norms before and after attention and the feed-forward part of Gemma 2 and 3. */
export const gemmaNorms: readonly TensorRule[] = [
  ['input_layernorm', 'attn_norm'],
  ['post_attention_layernorm', 'post_attention_norm'],
  ['pre_feedforward_layernorm', 'ffn_norm'],
  ['post_feedforward_layernorm', 'post_ffw_norm'],
].map(([theirs, ours]) => ({
  from: `model.layers.{layer}.${theirs}.weight`,
  to: `blk.{layer}.${ours}.weight`,
  shape: ['C'],
  view: plusOne,
}));

/** Fields of Gemma 2 and 3 about attention scores. */
export const scoreFields = {
  query_pre_attn_scalar: z.number().positive(),
  attn_logit_softcapping: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
} as const satisfies Record<string, z.ZodType>;

type ScoreConfig = ModelConfig & { readonly query_pre_attn_scalar: number };

/** `attention.scale`, where scores are scaled otherwise than llama.cpp assumes. */
export function scaleKeys(config: ScoreConfig, layersOf27B: number): readonly Key[] {
  const scalar = config.query_pre_attn_scalar;
  if (scalar === assumedScalar(config, layersOf27B)) return [];
  return [['attention.scale', meta.float32(1 / Math.sqrt(scalar))]];
}

/** What a user should know about such a model: llama.cpp has no key for the scale. */
export function scaleNotes(config: ScoreConfig, layersOf27B: number): readonly string[] {
  const [scalar, assumed] = [config.query_pre_attn_scalar, assumedScalar(config, layersOf27B)];
  if (scalar === assumed) return [];
  return [
    `Attention scores are divided by √${scalar}; llama.cpp divides by √${assumed} in a model of ` +
      `${config.num_hidden_layers} layers, so its answers differ from the original.`,
  ];
}

/** The 27B models divide by the root of C / H, the others by that of the head width. */
function assumedScalar(config: ScoreConfig, layersOf27B: number): number {
  const { num_hidden_layers: layers, hidden_size: width, num_attention_heads: heads } = config;
  return layers === layersOf27B ? Math.trunc(width / heads) : config.headWidth;
}
