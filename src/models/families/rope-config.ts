import { z } from 'zod';

const factor = z.number().positive();
const factors = z.array(factor);

const scalingSchema = z.object({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: factor.nullish(),
  partial_rotary_factor: factor.nullish(),
  factor: factor.nullish(),
  low_freq_factor: factor.nullish(),
  high_freq_factor: factor.nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
  extrapolation_factor: z.number().nullish(),
  attention_factor: factor.nullish(),
  attn_factor: factor.nullish(),
  beta_fast: factor.nullish(),
  beta_slow: factor.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
  long_factor: factors.nullish(),
  short_factor: factors.nullish(),
});

/** Models with sliding windows may rotate differently in them. */
const ropeSchema = scalingSchema.extend({
  full_attention: scalingSchema.nullish(),
  sliding_attention: scalingSchema.nullish(),
});

/** The fields of config.json about rotary position embedding. */
export const ropeFields = {
  rope_theta: factor.nullish(),
  rope_local_base_freq: factor.nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: factor.nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
} as const satisfies Record<string, z.ZodType>;

/** Parameters of rotary position embedding, under either of the names that checkpoints use. */
export type RopeConfig = z.infer<typeof scalingSchema> & {
  /** How positions beyond the trained context are scaled; `default` for not at all. */
  readonly kind: string;
  readonly theta: number;
  /** Theta of the layers with a sliding window, where it is another. */
  readonly windowTheta: number | undefined;
  /** The share of each head that is rotated. */
  readonly share: number;
};

/** The rotary base that transformers assumes when config.json does not say. */
const defaultTheta = 10000;

type RopeFields = {
  readonly [Name in keyof typeof ropeFields]: z.infer<(typeof ropeFields)[Name]>;
};

/** Rotary position embedding of a config.json of any age. */
export function ropeOf(fields: Partial<RopeFields>): RopeConfig {
  const given = fields.rope_parameters ?? fields.rope_scaling ?? {};
  const rope = given.full_attention ?? given;
  const window = given.sliding_attention?.rope_theta ?? fields.rope_local_base_freq;
  const original = rope.original_max_position_embeddings ?? fields.original_max_position_embeddings;
  return {
    ...rope,
    kind: rope.rope_type ?? rope.type ?? 'default',
    theta: firstOf(defaultTheta, rope.rope_theta, fields.rope_theta),
    windowTheta: window ?? undefined,
    share: firstOf(1, rope.partial_rotary_factor, fields.partial_rotary_factor),
    original_max_position_embeddings: original,
  };
}

function firstOf(assumed: number, ...given: readonly (number | null | undefined)[]): number {
  return given.find((value) => typeof value === 'number') ?? assumed;
}
