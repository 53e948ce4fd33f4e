import { z } from 'zod';
import { PithError } from '../../util/errors.ts';

const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);
/** llama.cpp loads at most 512 layers (LLAMA_MAX_LAYERS). */
const layers = size.max(512);
const factor = z.number().positive();

const ropeSchema = z.object({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: factor.nullish(),
  factor: factor.nullish(),
  low_freq_factor: factor.nullish(),
  high_freq_factor: factor.nullish(),
  original_max_position_embeddings: size.nullish(),
  extrapolation_factor: z.number().nullish(),
  attention_factor: factor.nullish(),
  attn_factor: factor.nullish(),
  beta_fast: factor.nullish(),
  beta_slow: factor.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
});

const configSchema = z.object({
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
  rope_theta: factor.nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: factor.nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  hidden_act: z.string().nullish(),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().nullish(),
  quantization_config: z.object({ quant_method: z.string().nullish() }).nullish(),
});

/** Parameters of rotary position embedding, under either of the names that checkpoints use. */
export type RopeConfig = z.infer<typeof ropeSchema> & {
  /** How positions beyond the trained context are scaled; `default` for not at all. */
  readonly kind: string;
  readonly theta: number;
};

/** The rotary base that transformers assumes when config.json does not say. */
const defaultTheta = 10000;

/** What config.json says about a decoder-only transformer, with the derived sizes filled in. */
export type DecoderConfig = z.infer<typeof configSchema> & {
  readonly headWidth: number;
  readonly kvHeads: number;
  readonly rope: RopeConfig;
};

/**
 * Checks a parsed config.json.
 *
 * @throws {@link PithError} `corrupt` for missing or malformed fields, `shape` when heads do not
 *   divide, `unsupported` for checkpoints and activations that the families cannot express.
 */
export function parseDecoderConfig(config: unknown): DecoderConfig {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, 3).map(describeIssue).join('; ');
    throw new PithError(
      'corrupt',
      `config.json: ${problems}.`,
      'Get the config.json that belongs to this model.',
    );
  }
  const fields = parsed.data;
  requireExpressible(fields);
  const heads = fields.num_attention_heads;
  const kvHeads = fields.num_key_value_heads ?? heads;
  const headWidth = fields.head_dim ?? fields.hidden_size / heads;
  if (!Number.isInteger(headWidth) || headWidth % 2 === 1 || heads % kvHeads !== 0) {
    throw new PithError(
      'shape',
      `config.json: width ${fields.hidden_size}, ${heads} heads, ${kvHeads} key/value heads and ` +
        `head width ${headWidth} do not divide evenly.`,
      'Get the config.json that belongs to this model.',
    );
  }
  return { ...fields, kvHeads, headWidth, rope: ropeOf(fields) };
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('.') || 'the file'}: ${message}`;
}

function ropeOf(fields: z.infer<typeof configSchema>): RopeConfig {
  const rope = fields.rope_parameters ?? fields.rope_scaling ?? {};
  return {
    ...rope,
    kind: rope.rope_type ?? rope.type ?? 'default',
    theta: rope.rope_theta ?? fields.rope_theta ?? defaultTheta,
  };
}

function requireExpressible(fields: z.infer<typeof configSchema>): void {
  const { quantization_config: quantized, hidden_act: activation } = fields;
  if (quantized) {
    throw new PithError(
      'unsupported',
      `The checkpoint is already quantized (${quantized.quant_method ?? 'method not named'}).`,
      'Use the original checkpoint in BF16, F16 or F32.',
    );
  }
  const partial = fields.partial_rotary_factor ?? 1;
  if ((activation ?? 'silu') !== 'silu' || partial !== 1) {
    throw new PithError(
      'unsupported',
      `config.json: hidden_act ${activation ?? 'silu'} with partial_rotary_factor ${partial}; ` +
        `${fields.model_type} models have silu and 1 in llama.cpp.`,
      'No GGUF can express this model; ask llama.cpp for the architecture.',
    );
  }
}
