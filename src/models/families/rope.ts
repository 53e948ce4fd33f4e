import { meta } from '../../formats/gguf/metadata.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { Family, Key } from './family.ts';
import type { ModelConfig } from './model-config.ts';
import type { RopeConfig } from './rope-config.ts';
import { float32Tensor } from './tensor-views.ts';

/** Rotary position embedding as GGUF tells it; keys are without the architecture's prefix. */
export interface Rope {
  readonly keys: readonly Key[];
  readonly tensors: readonly Tensor[];
  readonly notes: readonly string[];
}

type Scaling = (rope: RopeConfig, config: ModelConfig) => Partial<Rope>;

/** The kinds of rope scaling, by transformers' names. */
const scalings: Readonly<Record<string, Scaling>> = {
  default: () => ({}),
  linear: (rope) => ({
    keys: [
      ['rope.scaling.type', meta.string('linear')],
      ['rope.scaling.factor', meta.float32(required(rope, 'factor'))],
    ],
  }),
  dynamic: (_, { max_position_embeddings: context }) => ({
    notes: [
      `GGUF has no dynamic rope scaling: up to ${context} tokens nothing changes, beyond them the ` +
        'model degrades sooner than the original.',
    ],
  }),
  yarn: yarnScaling,
  llama3: (rope, config) => ({ tensors: [llama3Factors(rope, config)] }),
  longrope: longropeScaling,
  su: longropeScaling,
};

/** The kinds of scaling whose factors a tensor holds, which llama.cpp reads for some architectures. */
const factorTensors: Readonly<Record<string, Family['ropeFactors']>> = {
  llama3: 'llama3',
  longrope: 'longrope',
  su: 'longrope',
};

/**
 * Keys and tensors for a model's rotary position embedding.
 *
 * @throws {@link PithError} `unsupported` for a kind of scaling that GGUF cannot express, `corrupt`
 *   when one of its parameters is missing.
 */
export function ropeKeys(family: Family, config: ModelConfig): Rope {
  if (family.positions === 'learned') return { keys: [], tensors: [], notes: [] };
  const { kind, theta } = config.rope;
  const needed = factorTensors[kind];
  const isKnown = Object.hasOwn(scalings, kind) && (!needed || needed === family.ropeFactors);
  const scaling = isKnown ? scalings[kind] : undefined;
  if (!scaling) {
    throw new PithError(
      'unsupported',
      `config.json asks for rope scaling ${JSON.stringify(kind)}, which the GGUF architecture ` +
        `${family.architecture} cannot express.`,
      `Known kinds: ${Object.keys(scalings).join(', ')}.`,
    );
  }
  const { keys = [], tensors = [], notes = [] } = scaling(config.rope, config);
  return {
    keys: [
      ['rope.freq_base', meta.float32(theta)],
      ['rope.dimension_count', meta.uint32(config.rotaryWidth)],
      ...keys,
    ],
    tensors,
    notes,
  };
}

/**
 * Llama.cpp v0.5.0 reads none of the `yarn_*` keys for these architectures (convert_hf_to_gguf.py
 * writes them, so Pith does). Sines and cosines come out multiplied by 0.1 ln(factor) + 1, times
 * `attn_factor`, which it reads for every architecture.
 *
 * @see llama-context.cpp and llama-model.cpp, llama.cpp v0.5.0; _compute_yarn_parameters in
 *   transformers modeling_rope_utils.py. Logits within 4e-5 of an f64 forward pass with a magnitude
 *   of its own: test/model/greedy.test.ts.
 */
function yarnScaling(rope: RopeConfig, config: ModelConfig): Partial<Rope> {
  const original = rope.original_max_position_embeddings ?? config.max_position_embeddings;
  const factor = required(rope, 'factor');
  const magnitude = yarnMagnitude(rope, factor);
  const optional = {
    yarn_ext_factor: rope.extrapolation_factor,
    yarn_attn_factor: rope.attention_factor ?? rope.attn_factor,
    yarn_beta_fast: rope.beta_fast,
    yarn_beta_slow: rope.beta_slow,
    attn_factor: magnitude && magnitude / (0.1 * Math.log(factor) + 1),
  };
  return {
    keys: [
      ['rope.scaling.type', meta.string('yarn')],
      ['rope.scaling.factor', meta.float32(factor)],
      ['rope.scaling.original_context_length', meta.uint32(original)],
      ...Object.entries(optional).flatMap(([key, value]) =>
        typeof value === 'number' ? [[`rope.scaling.${key}`, meta.float32(value)] as const] : [],
      ),
    ],
    notes: yarnNotes(rope),
  };
}

/** What sines and cosines are multiplied by; undefined for 0.1 ln(factor) + 1. */
function yarnMagnitude(rope: RopeConfig, factor: number): number | undefined {
  const { mscale, mscale_all_dim: divisor } = rope;
  const explicit = rope.attention_factor ?? rope.attn_factor ?? undefined;
  if (explicit !== undefined || !mscale || !divisor) return explicit;
  const scale = (by: number) => 0.1 * by * Math.log(factor) + 1;
  return scale(mscale) / scale(divisor);
}

function yarnNotes({ beta_fast: fast, beta_slow: slow, truncate }: RopeConfig): string[] {
  if ((fast ?? 32) === 32 && (slow ?? 1) === 1 && truncate !== false) return [];
  return [
    `The model asks for yarn with beta_fast ${fast ?? 32}, beta_slow ${slow ?? 1}` +
      `${truncate === false ? ', not truncated' : ''}; llama.cpp computes it with 32 and 1, ` +
      'truncated, so answers differ from the original.',
  ];
}

/**
 * Llama 3.1's scaling: each rotary frequency is divided by its factor. Wavelengths that fit the
 * original context often keep theirs (factor 1), those longer than it take the full factor, and the
 * ones between go over smoothly.
 *
 * @see transformers modeling_rope_utils.py, _compute_llama3_parameters. Within 3e-6 of the F32
 *   arithmetic of convert_hf_to_gguf.py.
 */
function llama3Factors(rope: RopeConfig, config: ModelConfig): Tensor {
  const factor = required(rope, 'factor');
  const low = required(rope, 'low_freq_factor');
  const high = required(rope, 'high_freq_factor');
  const context = required(rope, 'original_max_position_embeddings');
  const factors = Float32Array.from({ length: config.rotaryWidth / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * rope.theta ** ((2 * pair) / config.rotaryWidth);
    if (wavelength < context / high) return 1;
    if (wavelength > context / low) return factor;
    const smooth = (context / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
  return float32Tensor('rope_freqs.weight', factors);
}

/**
 * Phi-3's scaling: one list of factors for prompts within the original context and one for longer
 * ones; sines and cosines are multiplied by `attn_factor` in both cases.
 *
 * @see Phi3MiniModel.generate_extra_tensors in conversion/phi.py, llama.cpp v0.5.0;
 *   _compute_longrope_parameters in transformers modeling_rope_utils.py.
 */
function longropeScaling(rope: RopeConfig, config: ModelConfig): Partial<Rope> {
  const original = required(rope, 'original_max_position_embeddings');
  const stretch = config.max_position_embeddings / original;
  const magnitude = stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(original)) : 1;
  return {
    keys: [['rope.scaling.attn_factor', meta.float32(rope.attention_factor ?? magnitude)]],
    tensors: (['long', 'short'] as const).map((length) =>
      float32Tensor(
        `rope_factors_${length}.weight`,
        Float32Array.from(requiredFactors(rope, `${length}_factor`, config.rotaryWidth / 2)),
      ),
    ),
  };
}

function requiredFactors(
  rope: RopeConfig,
  key: 'long_factor' | 'short_factor',
  count: number,
): readonly number[] {
  const values = rope[key];
  if (values?.length === count) return values;
  throw new PithError(
    'corrupt',
    `config.json asks for rope scaling ${rope.kind} with ${values?.length ?? 'no'} numbers in ${key}, ` +
      `where ${count} are rotated.`,
    'Get the config.json that belongs to this model.',
  );
}

function required(
  rope: RopeConfig,
  key: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings',
): number {
  const value = rope[key];
  if (typeof value === 'number') return value;
  throw new PithError(
    'corrupt',
    `config.json asks for rope scaling ${rope.kind} without ${key}.`,
    'Get the config.json that belongs to this model.',
  );
}
