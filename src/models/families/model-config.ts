import { z } from 'zod';
import { ropeFields, type RopeConfig } from './rope-config.ts';

/** A count or a width. */
export const size: z.ZodNumber = z
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);
/** A count of things with tensors of their own; llama.cpp loads at most 1024 experts. */
export const count: z.ZodNumber = size.max(1024);
/** llama.cpp loads at most 512 layers (LLAMA_MAX_LAYERS). */
const layers = size.max(512);
const factor = z.number().positive();

/** The fields that any family may have, under the names that Llama's config.json gives them. */
export const configSchema = z.object({
  model_type: z.string(),
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layers,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size,
  rms_norm_eps: factor,
  ...ropeFields,
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  hidden_act: z.string().nullish(),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().nullish(),
  quantization_config: z.object({ quant_method: z.string().nullish() }).nullish(),
});

/** The name of a field that every family has, as Llama's config.json has it. */
export type FieldName = keyof typeof configSchema.shape;

/** What config.json says about a transformer, with the derived sizes filled in. */
export type ModelConfig = z.infer<typeof configSchema> & {
  readonly headWidth: number;
  readonly kvHeads: number;
  readonly rope: RopeConfig;
  /** How many numbers of each head are rotated. */
  readonly rotaryWidth: number;
};
