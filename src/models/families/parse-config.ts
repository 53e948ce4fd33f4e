import type { z } from 'zod';
import { PithError } from '../../util/errors.ts';
import type { Family } from './family.ts';
import { configSchema, type FieldName, type ModelConfig } from './model-config.ts';
import { ropeOf } from './rope-config.ts';

/**
 * Checks a parsed config.json.
 *
 * @throws {@link PithError} `corrupt` for missing or malformed fields, `shape` when heads do not
 *   divide, `unsupported` for what the family's architecture cannot express.
 */
export function parseModelConfig(family: Family, config: unknown): ModelConfig {
  const schema = configSchema.extend(family.own ?? {}) as typeof configSchema;
  const parsed = schema.safeParse(inLlamasNames(family, config));
  if (!parsed.success) {
    const problems = parsed.error.issues
      .slice(0, 3)
      .map((issue) => describeIssue(family, issue))
      .join('; ');
    throw new PithError(
      'corrupt',
      `config.json: ${problems}.`,
      'Get the config.json that belongs to this model.',
    );
  }
  const fields = parsed.data;
  const heads = fields.num_attention_heads;
  const kvHeads = fields.num_key_value_heads ?? heads;
  const shared = parsed.data[(family.attentionWidth ?? 'hidden_size') as 'hidden_size'];
  const headWidth = fields.head_dim ?? shared / heads;
  if (!Number.isInteger(headWidth) || headWidth % 2 === 1 || heads % kvHeads !== 0) {
    throw new PithError(
      'shape',
      `config.json: width ${shared}, ${heads} heads, ${kvHeads} key/value heads and ` +
        `head width ${headWidth} do not divide evenly.`,
      'Get the config.json that belongs to this model.',
    );
  }
  const rope = ropeOf(fields);
  const rotaryWidth = Math.trunc(headWidth * rope.share);
  const complete = {
    ...fields,
    // As GPT-2, the one family that may leave it out, has it.
    intermediate_size: fields.intermediate_size ?? 4 * fields.hidden_size,
    kvHeads,
    headWidth,
    rope,
    rotaryWidth,
  };
  requireExpressible(family, complete);
  return complete;
}

/** The fields under Llama's names, with transformers' values for those that are left out. */
function inLlamasNames({ names = {}, defaults = {} }: Family, config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config;
  const given = config as Readonly<Record<string, unknown>>;
  const renamed = Object.entries(names).flatMap(([name, theirs]) =>
    Object.hasOwn(given, theirs) ? [[name, given[theirs]] as const] : [],
  );
  return { ...defaults, ...given, ...Object.fromEntries(renamed) };
}

function describeIssue({ names = {} }: Family, { path, message }: z.core.$ZodIssue): string {
  const [first, ...rest] = path.map(String);
  if (first === undefined) return `the file: ${message}`;
  return `${[names[first as FieldName] ?? first, ...rest].join('.')}: ${message}`;
}

function requireExpressible(family: Family, config: ModelConfig): void {
  const { quantization_config: quantized, hidden_act: activation } = config;
  if (quantized) {
    throw new PithError(
      'unsupported',
      `The checkpoint is already quantized (${quantized.quant_method ?? 'method not named'}).`,
      'Use the original checkpoint in BF16, F16 or F32.',
    );
  }
  const known = family.activations ?? ['silu'];
  const problem = [
    activation && !known.includes(activation)
      ? `hidden_act ${activation}, where the architecture has ${known.join(' or ')}`
      : undefined,
    config.rope.share !== 1 && !family.partialRotary
      ? `partial_rotary_factor ${config.rope.share}, where the architecture rotates whole heads`
      : undefined,
    family.unsupported?.(config),
  ].find((text) => text !== undefined);
  if (problem === undefined) return;
  throw new PithError(
    'unsupported',
    `config.json: ${problem} (${family.modelType} models are ${family.architecture} in GGUF).`,
    'No GGUF can express this model; ask llama.cpp for the architecture.',
  );
}
