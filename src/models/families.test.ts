import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { meta } from '../formats/gguf/metadata.ts';
import { rowsOf, weightsOf, type Tensor } from '../tensor/tensor.ts';
import { PithError } from '../util/errors.ts';
import { huggingFaceModel } from './hugging-face-model.ts';
import type { Model } from './model.ts';
import { openModel } from './open.ts';
import { families } from './families/index.ts';
import { rotaryHalves } from './families/rotary-halves.ts';

interface Converted {
  keys: Record<string, [type: string, value: string | number]>;
  tensors: Record<string, { shape: number[]; digest?: string; values?: number[] }>;
}

interface GoldenCase extends Converted {
  label: string;
  config: Record<string, unknown>;
  stored: Record<string, number[]>;
  /** Files beside config.json, by path. */
  files?: Record<string, unknown>;
}

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/families.json', import.meta.url), 'utf8'),
) as {
  cases: GoldenCase[];
  sample: Converted;
  mobilebert: Pick<GoldenCase, 'config' | 'stored'>;
};

/** The numbers of interop/hugging-face-families.py as BF16 bytes. */
function numbers(seed: number, count: number): Uint8Array {
  const floats = new Float32Array(count);
  for (let at = 0; at < count; at++) {
    let x = (Math.imul(at, 2654435761) + seed * 40503) >>> 0;
    x = (x ^ (x >>> 15)) >>> 0;
    x = Math.imul(x, 2246822519) >>> 0;
    x = (x ^ (x >>> 13)) >>> 0;
    floats[at] = ((x >>> 16) - 32768) / 65536;
  }
  const words = new Uint16Array(floats.buffer).filter((_, at) => at % 2 === 1);
  return new Uint8Array(words.buffer);
}

function bf16Tensor(name: string, shape: number[], bytes: Uint8Array): Tensor {
  const rowBytes = bytes.length / rowsOf(shape);
  const read = (first: number, count: number) =>
    Promise.resolve(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  return { name, shape, type: 'BF16', read };
}

function checkpoint(shapes: Record<string, number[]>): Map<string, Tensor> {
  const entries = Object.entries(shapes).map(([name, shape], seed): [string, Tensor] => {
    return [name, bf16Tensor(name, shape, numbers(seed, weightsOf(shape)))];
  });
  return new Map(entries);
}

const jsonBytes = (content: unknown) => new TextEncoder().encode(JSON.stringify(content));

function open(
  config: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  files: Record<string, unknown> = {},
): Model {
  return huggingFaceModel({
    source: 'tiny-model',
    config,
    tensors,
    vocabulary: new Map(),
    card: { folderName: 'tiny-model' },
    files: [],
    smallFiles: new Map(Object.entries(files).map(([name, content]) => [name, jsonBytes(content)])),
    notes: [],
    close: () => Promise.resolve(),
  });
}

async function floatsOf(tensor: Tensor): Promise<Float32Array> {
  const bytes = await tensor.read(0, rowsOf(tensor.shape));
  if (tensor.type === 'F32') return new Float32Array(bytes.slice().buffer);
  const words = new Uint16Array(bytes.slice().buffer);
  return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
}

/** Keys that llama.cpp would assume and Pith writes out, yarn's magnitude, and Mistral's window. */
const writtenOut = [
  'rope.scaling.attn_factor',
  'attention.sliding_window',
  'rope.freq_base',
  'rope.dimension_count',
  'attention.head_count_kv',
  'expert_weights_norm',
  'pooling_normalize',
  'vocab_size',
  'attention.key_length',
  'attention.value_length',
];
const isExtra = (key: string) =>
  key.startsWith('tokenizer.') || writtenOut.some((name) => key.endsWith(name));

/** The keys that both sides write; the file type is the source's for us, F32 for the converter. */
function comparableKeys(model: Model, expected: Converted['keys']): Record<string, unknown> {
  const ours = [...model.metadata].filter(([key]) => key in expected || !isExtra(key));
  expect(model.metadata.get('general.file_type')).toEqual(meta.uint32(32));
  return Object.fromEntries([
    ...ours.map(([key, { type, value }]) => [
      key,
      [type, typeof value === 'number' ? Math.fround(value) : value],
    ]),
    ['general.file_type', ['uint32', 0]],
  ]);
}

/** Rope factors that the converter computed in F32: 24 bits, a few operations. */
function snap(ours: number, theirs: number): number {
  return Math.abs(ours / theirs - 1) < 3e-6 ? theirs : ours;
}

/** Our side of a comparison with the converter, in the form of its golden record. */
async function converted(model: Model, expected: Converted): Promise<Converted> {
  const tensors: Converted['tensors'] = {};
  for (const [name, tensor] of model.tensors) {
    const floats = await floatsOf(tensor);
    const theirs = expected.tensors[name]?.values;
    const hash = createHash('sha256').update(new Uint8Array(floats.buffer)).digest('hex');
    const content = theirs
      ? { values: [...floats].map((value, at) => snap(value, theirs[at]!)) }
      : { digest: hash.slice(0, 12) };
    tensors[name] = { shape: [...tensor.shape], ...content };
  }
  return { keys: comparableKeys(model, expected.keys) as Converted['keys'], tensors };
}

test.each(golden.cases)(
  'names, values and keys are those of convert_hf_to_gguf.py v0.5.0: $label',
  async ({ config, stored, files, keys, tensors }) => {
    const model = open(config, checkpoint(stored), files);
    expect(await converted(model, { keys, tensors })).toEqual({ keys, tensors });
  },
);

test('so are those of the model in the box', async () => {
  const model = await openModel('sample');
  expect(await converted(model, golden.sample)).toEqual(golden.sample);
  await model.close();
});

const [tied] = golden.cases;
const codeOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error instanceof PithError ? [error.code, error.message] : [];
  }
  return [];
};

test('a missing tensor, an unknown one and a wrong shape are named', () => {
  const { config, stored } = tied!;
  const { 'model.norm.weight': norm, ...withoutNorm } = stored;
  expect(norm).toEqual([64]);
  const name = 'model.layers.1.mlp.up_proj.weight';
  expect(codeOf(() => open(config, checkpoint(withoutNorm)))).toEqual([
    'not-found',
    '1 tensors are missing: model.norm.weight.',
  ]);
  expect(codeOf(() => open(config, checkpoint({ ...stored, 'model.extra': [2] })))).toEqual([
    'unsupported',
    '1 tensors are unknown to llama models: model.extra.',
  ]);
  expect(codeOf(() => open(config, checkpoint({ ...stored, [name]: [95, 64] })))).toEqual([
    'shape',
    `${name} has shape [95, 64], but config.json makes it [96, 64] (F × C).`,
  ]);
});

test('an unknown model_type is refused with the families there are and the nearest', () => {
  const { config, stored } = tied!;
  try {
    open({ ...config, model_type: 'qwen' }, checkpoint(stored));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({
      code: 'unsupported',
      message: `config.json has the model_type "qwen"; Pith converts ${families.map((family) => family.modelType).join(', ')}.`,
      hint: expect.stringContaining('The nearest is qwen2.') as string,
    });
  }
});

test.each([
  ['corrupt', { hidden_size: 'wide' }],
  ['corrupt', { num_hidden_layers: 1e9 }],
  ['corrupt', { rope_scaling: { type: 'linear' } }],
  ['shape', { num_key_value_heads: 3 }],
  ['unsupported', { rope_scaling: { type: 'longrope', factor: 2 } }],
  ['unsupported', { hidden_act: 'gelu' }],
  ['unsupported', { quantization_config: { quant_method: 'gptq' } }],
  ['not-found', { tie_word_embeddings: false }],
])('config.json that cannot be right is refused as %s: %j', (code, change) => {
  const { config, stored } = tied!;
  expect(codeOf(() => open({ ...config, ...change }, checkpoint(stored)))[0]).toBe(code);
});

test('any JSON in config.json of any family ends in a model or a PithError', () => {
  const others = [
    'head_dim',
    'rope_parameters',
    'rope_scaling',
    'quantization_config',
    'layer_types',
  ];
  const cases = [...golden.cases, golden.mobilebert].map(({ config, stored }) => {
    const fields = fc.constantFrom(...Object.keys(config), ...others);
    const changes = fc.dictionary(fields, fc.jsonValue(), { maxKeys: 3 });
    return fc.tuple(fc.constant(config), fc.constant(checkpoint(stored)), changes);
  });
  const property = fc.property(fc.oneof(...cases), ([config, tensors, changes]) => {
    try {
      return open({ ...config, ...changes }, tensors).tensors.size > 0;
    } catch (error) {
      return error instanceof PithError;
    }
  });
  expect(fc.check(property, { numRuns: 500 })).toMatchObject({ failed: false });
  expect(codeOf(() => open(null, checkpoint(tied!.stored)))[0]).toBe('unsupported');
});

test('llama 3 rope scaling is refused where llama.cpp reads no factors for it', () => {
  const scaled = golden.cases.find(({ label }) => label.startsWith('llama 3'))!;
  const qwen = golden.cases.find(({ label }) => label === 'qwen2, tied')!;
  const config = { ...qwen.config, rope_scaling: scaled.config.rope_scaling };
  expect(codeOf(() => open(config, checkpoint(qwen.stored)))[0]).toBe('unsupported');
});

test('a tied model leaves a stored output matrix out, and says so', () => {
  const { config, stored } = tied!;
  const model = open(config, checkpoint({ ...stored, 'lm_head.weight': [48, 64] }));
  expect(model.tensors.has('output.weight')).toBe(false);
  expect(model.notes).toEqual(['Left out: lm_head.weight.']);
});

test('a model that does not mention tying and has no output matrix is taken as tied, with a note', () => {
  const { tie_word_embeddings: _, ...config } = tied!.config;
  const model = open(config, checkpoint(tied!.stored));
  expect(model.notes.join()).toContain('There is no lm_head.weight');
});

test("yarn's magnitude for llama.cpp: the model's own by the 0.1 ln(factor) + 1 of llama.cpp", () => {
  const yarn = golden.cases.find(({ label }) => label === 'llama, yarn')!;
  const magnitude = (change: object) => {
    const rope = { ...(yarn.config.rope_scaling as object), ...change };
    const model = open({ ...yarn.config, rope_scaling: rope }, checkpoint(yarn.stored));
    return model.metadata.get('llama.rope.scaling.attn_factor')?.value;
  };
  expect(magnitude({})).toBeCloseTo(1.25 / (0.1 * Math.log(4) + 1), 12);
  const unset = { attention_factor: null };
  expect(magnitude(unset)).toBeUndefined();
  const scales = { ...unset, mscale: 0.5, mscale_all_dim: 2 };
  expect(magnitude(scales)).toBeCloseTo(
    (0.05 * Math.log(4) + 1) / (0.2 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1),
    12,
  );
});

test('notes tell of windows, scaling and buffers that GGUF does not carry', () => {
  const notes = golden.cases.flatMap(
    ({ config, stored }) => open(config, checkpoint(stored)).notes,
  );
  expect(notes).toEqual([
    expect.stringContaining('no dynamic rope scaling: up to 256 tokens'),
    expect.stringContaining('yarn with beta_fast 24, beta_slow 1; llama.cpp computes it with 32'),
    expect.stringContaining('sliding window of 32 tokens; llama.cpp attends to all'),
    expect.stringMatching(/^Left out: .*rotary_emb\.inv_freq/),
    expect.stringContaining('sliding window of 32 tokens; llama.cpp attends to all'),
    'Left out: pooler.dense.weight, pooler.dense.bias.',
    expect.stringMatching(/^Left out: cls\.predictions\.bias, .* and 1 more\.$/),
    'Left out: pooler.dense.weight, pooler.dense.bias.',
  ]);
});

test('rows read in any slabs, heads cut anywhere, are the rows of the whole matrix', async () => {
  const bytes = numbers(1, 24 * 5);
  const view = rotaryHalves(bf16Tensor('q', [24, 5], bytes), { headWidth: 8 });
  const whole = await view.read(0, 24);
  for (let first = 0; first < 24; first++) {
    for (let count = 0; first + count <= 24; count++) {
      const slab = await view.read(first, count);
      expect(slab).toEqual(whole.slice(first * 10, (first + count) * 10));
    }
  }
  expect(whole.slice(10, 20)).toEqual(bytes.slice(4 * 10, 5 * 10));
});

const caseOf = (label: string) => golden.cases.find((entry) => entry.label === label)!;
const keyOf = (model: Model, key: string) =>
  model.metadata.get(`${model.architecture}.${key}`)?.value;

test("StableLM 2 12B's norms of 4 query and 2 key heads are stacked, and it has no second norm", async () => {
  const { config, stored } = caseOf('stablelm, biases');
  const shapes = Object.fromEntries(
    Object.entries(stored).filter(([name]) => !name.includes('post_attention_layernorm')),
  );
  for (const layer of [0, 1]) {
    for (const [kind, heads] of [['q', 4] as const, ['k', 2] as const]) {
      for (let head = 0; head < heads; head++) {
        shapes[`model.layers.${layer}.self_attn.${kind}_layernorm.norms.${head}.weight`] = [16];
      }
    }
  }
  const tensors = checkpoint(shapes);
  const model = open({ ...config, qk_layernorm: true, use_parallel_residual: true }, tensors);
  const norms = model.tensors.get('blk.1.attn_q_norm.weight')!;
  expect(norms.shape).toEqual([4, 16]);
  const third = tensors.get('model.layers.1.self_attn.q_layernorm.norms.2.weight')!;
  expect(await norms.read(2, 1)).toEqual(await third.read(0, 1));
  expect(model.tensors.get('blk.0.attn_k_norm.weight')!.shape).toEqual([2, 16]);
  expect(model.tensors.has('blk.0.ffn_norm.weight')).toBe(false);
  expect(keyOf(model, 'use_parallel_residual')).toBe(true);
});

test('MobileBERT keeps all its tensors under names of its own, and says what runs it', () => {
  const { config, stored } = golden.mobilebert;
  const model = open(config, checkpoint(stored));
  const pooler = ['pooler.dense.weight', 'pooler.dense.bias'].filter((name) => name in stored);
  expect(model.tensors.size).toBe(Object.keys(stored).length - pooler.length);
  const shapes = Object.fromEntries([...model.tensors].map(([name, { shape }]) => [name, shape]));
  expect(shapes).toMatchObject({
    'token_embd.weight': [48, 24],
    'token_embd_proj.weight': [64, 72],
    'blk.1.bottleneck_in.weight': [32, 64],
    'blk.1.attn_v.weight': [32, 64],
    'blk.1.ffn_up_0.weight': [48, 32],
    'blk.1.ffn_norm_1.bias': [32],
    'blk.1.bottleneck_out.weight': [64, 32],
    'blk.1.layer_output_norm.weight': [64],
  });
  expect(keyOf(model, 'attention.key_length')).toBe(8);
  expect(model.notes.join()).toContain('only ONNX Runtime runs the model');
  const other = { ...config, normalization_type: 'layer_norm' };
  expect(codeOf(() => open(other, checkpoint(stored)))).toEqual([
    'unsupported',
    expect.stringContaining('normalization_type layer_norm, where Pith knows no_norm'),
  ]);
});

test.each([
  ['gemma2', { query_pre_attn_scalar: 144 }, ['attention.scale', 1 / 12], 'divides by √32'],
  [
    'qwen3_moe, wide heads',
    { norm_topk_prob: false },
    ['expert_weights_norm', false],
    'llama.cpp does and the model does not',
  ],
  [
    'qwen2_moe, a shared expert',
    { norm_topk_prob: true },
    ['expert_weights_norm', true],
    'the model does and llama.cpp not',
  ],
] as const)(
  'what llama.cpp assumes and the model does not is a key and a note: %s %j',
  (label, change, [key, value], note) => {
    const { config, stored } = caseOf(label);
    const model = open({ ...config, ...change }, checkpoint(stored));
    expect(keyOf(model, key)).toBe(value);
    expect(model.notes.join()).toContain(note);
  },
);

test('layers with a window that are not every second or sixth are listed one by one', () => {
  const { config, stored } = caseOf('gemma2');
  const patternOf = (layer_types: string[]) =>
    keyOf(open({ ...config, layer_types }, checkpoint(stored)), 'attention.sliding_window_pattern');
  expect(patternOf(['sliding_attention', 'full_attention'])).toBeUndefined();
  expect(patternOf(['full_attention', 'sliding_attention'])).toEqual([0, 1]);
});

test.each([
  ['phi, half of each head rotated', { qk_layernorm: true }, 'norms of query and key heads'],
  ['gemma2', { attn_logit_softcapping: null }, 'no soft caps'],
  ['gemma3_text, linear rope', { use_bidirectional_attention: true }, 'in both directions'],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'scaled otherwise'],
  ['qwen2_moe, a shared expert', { mlp_only_layers: [0] }, 'layers without experts'],
  ['bert', { is_decoder: true }, 'earlier tokens only'],
  ['bert', { position_embedding_type: 'relative_key' }, 'relative_key positions'],
  ['phi3, longrope, sliding window', { rope_scaling: { type: 'llama3' } }, 'rope scaling "llama3"'],
])('what an architecture cannot express is refused: %s %j', (label, change, message) => {
  const { config, stored } = caseOf(label);
  expect(codeOf(() => open({ ...config, ...change }, checkpoint(stored)))).toEqual([
    'unsupported',
    expect.stringContaining(message),
  ]);
});

test('a token cannot pass more experts than there are', () => {
  const { config, stored } = caseOf('mixtral, 3 experts');
  expect(codeOf(() => open({ ...config, num_experts_per_tok: 4 }, checkpoint(stored)))).toEqual([
    'shape',
    'config.json: each token passes 4 experts, but there are 3.',
  ]);
});

test('factors of longrope must be as many as the rotated pairs', () => {
  const { config, stored } = caseOf('phi3, longrope, sliding window');
  const rope_scaling = { ...(config.rope_scaling as object), long_factor: [1, 2] };
  expect(codeOf(() => open({ ...config, rope_scaling }, checkpoint(stored)))).toEqual([
    'corrupt',
    expect.stringContaining('with 2 numbers in long_factor, where 8 are rotated'),
  ]);
});

test('pooling that GGUF cannot express, or that is not there, is told', () => {
  const { config, stored, files } = caseOf('bert, mean pooling, as MiniLM');
  const withPooling = (pooling: object) =>
    codeOf(() => open(config, checkpoint(stored), { ...files, '1_Pooling/config.json': pooling }));
  const model = open(config, checkpoint(stored), files);
  expect(keyOf(model, 'pooling_normalize')).toBe(true);
  expect(withPooling({ pooling_mode: 'cls' })).toEqual([]);
  expect(withPooling({ pooling_mode_max_tokens: true, pooling_mode_mean_tokens: true })[0]).toBe(
    'unsupported',
  );
  expect(withPooling({})[0]).toBe('unsupported');
  const dense = [
    { path: '', type: 'x.Transformer' },
    { path: '2_Dense', type: 'x.Dense' },
  ];
  expect(codeOf(() => open(config, checkpoint(stored), { 'modules.json': dense }))).toEqual([
    'unsupported',
    expect.stringContaining('the module Dense'),
  ]);
});
