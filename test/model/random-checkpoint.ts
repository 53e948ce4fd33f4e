import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const sample = resolve(import.meta.dirname, '../../models/sample');
const llama3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  // As 8192 in Llama 3.1, but short enough that the scaling shows within the tests' 80 tokens.
  original_max_position_embeddings: 64,
};
const yarn = { type: 'yarn', factor: 4, original_max_position_embeddings: 64 };
const shared = {
  vocab_size: 4096,
  hidden_size: 96,
  intermediate_size: 160,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: 'silu',
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: false,
  bos_token_id: 0,
  eos_token_id: 0,
};

/** A random checkpoint: a config.json of true structure, and the element type of its weights. */
export interface Checkpoint {
  readonly config: Readonly<Record<string, unknown>> & { readonly model_type: string };
  readonly dtype: 'F32' | 'BF16';
}

/** Every family, and every kind of rope scaling; small, with all that makes a family itself. */
export const checkpoints: Readonly<Record<string, Checkpoint>> = {
  'llama: 3 heads a kv head, wide heads, llama3 rope scaling': {
    config: { ...shared, model_type: 'llama', rope_theta: 500000, rope_scaling: llama3 },
    dtype: 'F32',
  },
  'llama: biases everywhere, tied, linear rope scaling': {
    config: {
      ...shared,
      model_type: 'llama',
      tie_word_embeddings: true,
      attention_bias: true,
      mlp_bias: true,
      rope_scaling: { type: 'linear', factor: 4 },
    },
    dtype: 'F32',
  },
  'mistral: every head its own kv head, BF16': {
    config: {
      ...shared,
      model_type: 'mistral',
      num_key_value_heads: 6,
      head_dim: 16,
      rms_norm_eps: 1e-6,
      sliding_window: null,
    },
    dtype: 'BF16',
  },
  'qwen2: biases of q, k and v, tied': {
    config: {
      ...shared,
      model_type: 'qwen2',
      head_dim: 16,
      tie_word_embeddings: true,
      rope_theta: 1000000,
    },
    dtype: 'F32',
  },
  'qwen2: untied, yarn': {
    config: { ...shared, model_type: 'qwen2', head_dim: 16, rope_scaling: yarn },
    dtype: 'F32',
  },
  'mistral: yarn with a magnitude of its own': {
    config: {
      ...shared,
      model_type: 'mistral',
      sliding_window: null,
      rope_scaling: { ...yarn, attention_factor: 1.3 },
    },
    dtype: 'F32',
  },
  'qwen3: norms of q and k heads, wide heads, tied': {
    config: { ...shared, model_type: 'qwen3', tie_word_embeddings: true, rope_theta: 1000000 },
    dtype: 'F32',
  },
};

/**
 * Writes a Hugging Face folder of seeded random weights and the tokenizer of the model in the box.
 *
 * Spreads are chosen so that attention is neither flat nor on one token, the residual stream comes
 * mostly from the layers, and greedy text does not repeat one token.
 */
export function writeCheckpoint(folder: string, { config, dtype }: Checkpoint, seed: number): void {
  const tensors = Object.entries(shapes(config)).map(([name, shape]) =>
    name.endsWith('norm.weight')
      ? { name, shape, center: 1, spread: 0.3 }
      : { name, shape, center: 0, spread: spread(name, shape) },
  );
  writeRandomFolder(folder, config, tensors, { dtype, seed });
}

/** A tensor of nearly Gaussian numbers. */
export interface RandomTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly center: number;
  readonly spread: number;
}

/** Writes a Hugging Face folder of such tensors and the tokenizer of the model in the box. */
export function writeRandomFolder(
  folder: string,
  config: Checkpoint['config'],
  tensors: readonly RandomTensor[],
  { dtype, seed }: { readonly dtype: Checkpoint['dtype']; readonly seed: number },
): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(sample, name), join(folder, name));
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 1));
  const gauss = randomNumbers(seed);
  const weights = tensors.map(({ name, shape, center, spread }) => ({
    name,
    shape,
    values: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => center + spread * gauss(),
    ),
  }));
  writeFileSync(join(folder, 'model.safetensors'), safetensors(weights, dtype));
}

function spread(name: string, shape: readonly number[]): number {
  if (name.endsWith('.bias')) return 0.5;
  if (name.includes('embed_tokens')) return 0.5;
  const gain = /[qk]_proj/.test(name) ? 1.3 : /o_proj|down_proj/.test(name) ? 3 : 1.5;
  return gain / Math.sqrt(shape[1]!);
}

function shapes(config: Checkpoint['config']): Record<string, readonly number[]> {
  const size = (key: string) => config[key] as number;
  const [C, F, V] = [size('hidden_size'), size('intermediate_size'), size('vocab_size')];
  const D = size('head_dim');
  const [query, kv] = [size('num_attention_heads') * D, size('num_key_value_heads') * D];
  const matrices: Record<string, readonly [number, number]> = {
    'self_attn.q_proj': [query, C],
    'self_attn.k_proj': [kv, C],
    'self_attn.v_proj': [kv, C],
    'self_attn.o_proj': [C, query],
    'mlp.gate_proj': [F, C],
    'mlp.up_proj': [F, C],
    'mlp.down_proj': [C, F],
  };
  const found: Record<string, readonly number[]> = { 'model.embed_tokens.weight': [V, C] };
  for (let layer = 0; layer < size('num_hidden_layers'); layer++) {
    const at = `model.layers.${layer}`;
    for (const [name, shape] of Object.entries(matrices)) {
      found[`${at}.${name}.weight`] = shape;
      if (hasBias(config, name)) found[`${at}.${name}.bias`] = [shape[0]];
    }
    found[`${at}.input_layernorm.weight`] = [C];
    found[`${at}.post_attention_layernorm.weight`] = [C];
    if (config.model_type !== 'qwen3') continue;
    found[`${at}.self_attn.q_norm.weight`] = [D];
    found[`${at}.self_attn.k_norm.weight`] = [D];
  }
  found['model.norm.weight'] = [C];
  if (config['tie_word_embeddings'] !== true) found['lm_head.weight'] = [V, C];
  return found;
}

function hasBias(config: Checkpoint['config'], matrix: string): boolean {
  if (config.model_type === 'qwen2') return /[qkv]_proj/.test(matrix);
  return config[matrix.startsWith('mlp') ? 'mlp_bias' : 'attention_bias'] === true;
}

/** Nearly Gaussian numbers by sums only, so that every machine gets the same bits. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += uniform();
    return sum;
  };
}

interface Weights {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function safetensors(tensors: readonly Weights[], dtype: 'F32' | 'BF16'): Buffer {
  const header: Record<string, unknown> = {};
  const parts = tensors.map(({ values }) => Buffer.from(bytesOf(values, dtype)));
  let offset = 0;
  for (const [at, { name, shape }] of tensors.entries()) {
    const end = offset + parts[at]!.length;
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

/** BF16 by cutting: the cut value is the weight. */
function bytesOf(values: Float32Array, dtype: 'F32' | 'BF16'): ArrayBuffer {
  const words = new Uint32Array(values.buffer as ArrayBuffer);
  if (dtype === 'F32') return words.buffer;
  return Uint16Array.from(words, (word) => word >>> 16).buffer;
}
