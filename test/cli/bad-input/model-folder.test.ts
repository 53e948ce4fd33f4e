import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headed } from '../../../src/formats/safetensors/sample.cases.ts';
import { outcomeOf, refused, type Refusal } from './refusal.ts';
import {
  changedTokenizer,
  quantizeTiny,
  quantizeTo,
  tinyModel,
  type TinyModel,
} from './tiny-model.ts';

const key = 'model.layers.0.self_attn.k_proj.weight';
const embedding = 'model.embed_tokens.weight';

/** A case about a tiny model with one thing wrong, quantized to Q8_0 unless told otherwise. */
function wrong(
  title: string,
  code: Refusal['code'],
  says: Refusal['says'],
  model: TinyModel | (() => Promise<TinyModel>),
): Refusal {
  const make = async (folder: string) =>
    quantizeTiny(folder, typeof model === 'function' ? await model() : model);
  return { title, code, says, make };
}

/** The tiny model's header with the text of one JSON entry replaced. */
function headerWith(from: RegExp | string, to: string): TinyModel {
  return {
    safetensors(bytes) {
      const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
      const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
      return headed(text.replace(from, to), bytes.subarray(8 + length));
    },
  };
}

function headerLength(length: bigint): TinyModel {
  return {
    safetensors(bytes) {
      new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, length, true);
      return bytes;
    },
  };
}

const safetensors: readonly Refusal[] = [
  wrong('weights cut short name both sizes', 'truncated', [/\d{7} bytes, but only \d{7} follow/], {
    safetensors: (bytes) => bytes.subarray(0, bytes.length - 1000),
  }),
  wrong('bytes after the last tensor are counted', 'corrupt', ['10 bytes after the last tensor'], {
    safetensors: (bytes) => Buffer.concat([bytes, Buffer.alloc(10)]),
  }),
  wrong('an empty file', 'truncated', ['model.safetensors', /has 0|but it has 0/], {
    safetensors: () => new Uint8Array(),
  }),
  wrong('a header of 2^63 bytes', 'corrupt', ['9223372036854775808'], headerLength(2n ** 63n)),
  wrong('a header longer than the file', 'truncated', ['99000000'], headerLength(99_000_000n)),
  wrong('a header of ten thousand brackets', 'corrupt', ['nested deeper than 64'], {
    safetensors: () => headed('['.repeat(10_000)),
  }),
  wrong(
    'overlapping tensors',
    'corrupt',
    ['overlaps'],
    headerWith(/("model\.norm.*?offsets":)\[\d+,\d+\]/, '$1[0,512]'),
  ),
  wrong(
    'a tensor named twice',
    'corrupt',
    ['twice'],
    headerWith('"model.norm.weight"', `"${embedding}"`),
  ),
  wrong(
    'a shape of 2^63 weights',
    'corrupt',
    ['2^53'],
    headerWith('[4096,256]', '[4294967296,2147483648]'),
  ),
  wrong(
    'a dtype that nobody knows',
    'unsupported',
    [/F4_SECRET.*BF16/],
    headerWith('BF16', 'F4_SECRET'),
  ),
  wrong('a Git LFS pointer in place of the weights', 'corrupt', ['Git LFS', 'git lfs pull'], {
    files: {
      'model.safetensors': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 2097152\n`,
    },
  }),
  wrong('NaN names tensor, row and column', 'not-finite', [/attn_v\.weight.*row 3, column 7/], {
    weights: { 'model.layers.0.self_attn.v_proj.weight': { [3 * 256 + 7]: NaN } },
  }),
  wrong('infinity in a norm that is kept', 'not-finite', [/attn_norm\.weight.*row 0, column 9/], {
    weights: { 'model.layers.0.input_layernorm.weight': { 9: -Infinity } },
  }),
  wrong(
    'a weight that F16 cannot hold',
    'unsupported',
    [/ffn_up\.weight holds 1\.000\d*e\+30 in row 1, column 2.*F16/, 'BF16'],
    {
      options: ['-t', 'F16'],
      weights: { 'model.layers.0.mlp.up_proj.weight': { [256 + 2]: 1e30 } },
    },
  ),
  wrong(
    'a weight that a Q8_0 scale cannot hold',
    'unsupported',
    [/ffn_up\.weight.*row 1, column 2.*Q8_0/],
    {
      weights: { 'model.layers.0.mlp.up_proj.weight': { [256 + 2]: 1e30 } },
    },
  ),
  wrong('a matrix without rows', 'shape', ['[0, 256]', '[256, 256]'], {
    shapes: { 'model.layers.0.mlp.up_proj.weight': [0, 256] },
  }),
];

const configs: readonly Refusal[] = [
  wrong('config.json is missing', 'not-found', ['config.json'], {
    files: { 'config.json': undefined },
  }),
  wrong('config.json is empty', 'corrupt', ['config.json', 'not valid JSON'], {
    files: { 'config.json': '' },
  }),
  wrong('config.json is cut short', 'corrupt', ['not valid JSON'], {
    files: { 'config.json': '{"model_type": "lla' },
  }),
  wrong('config.json is not UTF-8', 'corrupt', ['UTF-8'], {
    files: { 'config.json': Buffer.from([0x7b, 0xff, 0x7d]) },
  }),
  wrong('config.json is a list', 'corrupt', ['config.json'], { files: { 'config.json': '[]' } }),
  wrong('an unknown model_type suggests the nearest', 'unsupported', ['lama', 'llama'], {
    config: { model_type: 'lama' },
  }),
  wrong('heads that do not divide', 'shape', ['3'], { config: { num_attention_heads: 3 } }),
  wrong('key heads that do not divide', 'shape', ['4', '3'], {
    config: { num_key_value_heads: 3 },
  }),
  wrong('more layers than weights', 'not-found', ['9 tensors are missing', 'layers.1.'], {
    config: { num_hidden_layers: 2 },
  }),
  wrong('10^9 layers', 'corrupt', ['num_hidden_layers', '512'], {
    config: { num_hidden_layers: 1e9 },
  }),
  wrong('fewer layers than weights', 'unsupported', ['1 tensors are unknown', 'layers.1.mlp'], {
    config: { num_hidden_layers: 1 },
    shapes: { 'model.layers.1.mlp.up_proj.weight': [256, 256] },
  }),
  wrong('a vocabulary of 0', 'corrupt', ['vocab_size'], { config: { vocab_size: 0 } }),
  wrong('a vocabulary of 10^12', 'unsupported', ['1000000000000', 'vocab_size'], {
    config: { vocab_size: 1e12 },
  }),
  wrong('a negative width', 'corrupt', ['hidden_size'], { config: { hidden_size: -256 } }),
  wrong('a width in words', 'corrupt', ['hidden_size'], { config: { hidden_size: '256' } }),
  wrong('a width that is not that of the weights', 'shape', ['[4096, 256]', '[4096, 128]'], {
    config: { hidden_size: 128 },
  }),
  wrong('a quantized checkpoint', 'unsupported', ['gptq'], {
    config: { quantization_config: { quant_method: 'gptq' } },
  }),
];

const tokenizers: readonly Refusal[] = [
  wrong('no tokenizer', 'not-found', ['tokenizer.json'], {
    files: { 'tokenizer.json': undefined },
  }),
  wrong('a tokenizer cut short', 'corrupt', ['tokenizer.json'], {
    files: { 'tokenizer.json': '{"model":{"type":"BPE"' },
  }),
  wrong('the tokenizer of a larger model', 'corrupt', ['5000', '4096'], async () => ({
    files: { 'tokenizer.json': await changedTokenizer((json) => (json.model.vocab['zzz'] = 5000)) },
  })),
  wrong('an id of 2^40', 'corrupt', ['1099511627776'], async () => ({
    files: {
      'tokenizer.json': await changedTokenizer((json) => (json.model.vocab['zzz'] = 2 ** 40)),
    },
  })),
  wrong('two tokens with one id', 'corrupt', ['zzz', '300'], async () => ({
    files: { 'tokenizer.json': await changedTokenizer((json) => (json.model.vocab['zzz'] = 300)) },
  })),
  wrong('an id that is a text', 'corrupt', ['zzz', 'not a number'], async () => ({
    files: {
      'tokenizer.json': await changedTokenizer((json) => (json.model.vocab['zzz'] = 'x' as never)),
    },
  })),
  wrong('a merge of a token that is not there', 'corrupt', ['merges[', 'qqqq'], async () => ({
    files: {
      'tokenizer.json': await changedTokenizer((json) => json.model.merges.push(['qqqq', 'e'])),
    },
  })),
  wrong('no vocabulary at all', 'corrupt', [/vocab|merges/], async () => ({
    files: { 'tokenizer.json': await changedTokenizer((json) => (json.model.vocab = {})) },
  })),
  wrong('a kind of tokenizer that nobody knows', 'unsupported', ['Secret'], async () => ({
    files: { 'tokenizer.json': await changedTokenizer((json) => (json.model.type = 'Secret')) },
  })),
  wrong(
    'a pre-tokenizer whose regular expression never ends',
    'unsupported',
    [/pre-tokenizer|regex/i],
    async () => ({
      files: {
        'tokenizer.json': await changedTokenizer((json) => {
          json.pre_tokenizer = {
            type: 'Split',
            pattern: { Regex: '(a+)+$' },
            behavior: 'Isolated',
            invert: false,
          };
        }),
      },
    }),
  ),
  wrong('a tokenizer nested 100,000 deep', 'corrupt', ['tokenizer.json'], {
    files: { 'tokenizer.json': `{"model":${'['.repeat(100_000)}` },
  }),
  wrong('a SentencePiece model of rubbish', 'corrupt', ['tokenizer.model'], {
    files: { 'tokenizer.json': undefined, 'tokenizer.model': Buffer.alloc(1000, 0xff) },
  }),
];

function index(map: Record<string, string>): TinyModel {
  return { files: { 'model.safetensors.index.json': JSON.stringify({ weight_map: map }) } };
}

const shards: readonly Refusal[] = [
  wrong(
    'a shard that is not there',
    'not-found',
    ['model-00002.safetensors'],
    index({ [embedding]: 'model-00002.safetensors' }),
  ),
  wrong(
    'an index that names itself',
    'corrupt',
    ['model.safetensors.index.json'],
    index({ [embedding]: 'model.safetensors.index.json' }),
  ),
  wrong(
    'a shard outside the folder',
    'corrupt',
    ['../secret.safetensors'],
    index({ [embedding]: '../secret.safetensors' }),
  ),
  wrong(
    'an index that forgets tensors',
    'corrupt',
    [key.slice(0, 12)],
    index({ [embedding]: 'model.safetensors' }),
  ),
  wrong('an index without a map', 'corrupt', ['weight_map'], {
    files: { 'model.safetensors.index.json': '{}' },
  }),
];

const links: readonly Refusal[] = [
  {
    title: 'a folder in place of the weights',
    code: 'io',
    says: ['it is a folder'],
    async make(folder) {
      const model = await tinyModel(folder, { files: { 'model.safetensors': undefined } });
      await mkdir(join(model, 'model.safetensors'));
      return quantizeTo(folder, model);
    },
  },
  {
    title: 'a named pipe in place of the weights',
    code: 'io',
    says: ['not a file but a pipe'],
    async make(folder) {
      const model = await tinyModel(folder, { files: { 'model.safetensors': undefined } });
      execFileSync('mkfifo', [join(model, 'model.safetensors')]);
      return quantizeTo(folder, model);
    },
  },
  {
    title: 'a named pipe in place of config.json',
    code: 'io',
    says: ['not a file but a pipe'],
    async make(folder) {
      const model = await tinyModel(folder, { files: { 'config.json': undefined } });
      execFileSync('mkfifo', [join(model, 'config.json')]);
      return quantizeTo(folder, model);
    },
  },
  {
    title: 'links that lead in a circle',
    code: 'io',
    says: ['circle'],
    async make(folder) {
      const model = await tinyModel(folder, { files: { 'model.safetensors': undefined } });
      await symlink('b.safetensors', join(model, 'model.safetensors'));
      await symlink('model.safetensors', join(model, 'b.safetensors'));
      return quantizeTo(folder, model);
    },
  },
  {
    title: 'a folder with pickled weights only',
    code: 'unsupported',
    says: ['pickled'],
    async make(folder) {
      const model = await tinyModel(folder, { files: { 'model.safetensors': undefined } });
      await writeFile(join(model, 'pytorch_model.bin'), 'PK');
      return quantizeTo(folder, model);
    },
  },
  {
    title: 'an empty folder',
    code: 'not-found',
    says: ['config.json'],
    async make(folder) {
      await mkdir(join(folder, 'empty'));
      return quantizeTo(folder, join(folder, 'empty'));
    },
  },
];

test.concurrent.each([...safetensors, ...configs, ...tokenizers, ...shards, ...links])(
  '$title',
  async (refusal) => {
    expect(await outcomeOf(refusal)).toEqual(refused(refusal));
  },
);
