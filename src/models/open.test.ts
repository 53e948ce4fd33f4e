import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { meta, type MetadataValue } from '../formats/gguf/metadata.ts';
import { planGguf } from '../formats/gguf/plan.ts';
import { writeGguf } from '../formats/gguf/write.ts';
import { rowsOf, weightsOf } from '../tensor/tensor.ts';
import { openModel } from './open.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'pith-open-'))));
afterAll(() => rm(folder, { recursive: true }));

const sample = new URL('../../models/sample/', import.meta.url);

/** A copy of the sample's small files, with some replaced or (undefined) left out. */
async function copyOfSample(name: string, changes: Record<string, string | undefined>) {
  const copy = join(folder, name);
  await cp(sample, copy, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
  for (const [file, text] of Object.entries(changes)) {
    await (text === undefined ? rm(join(copy, file)) : writeFile(join(copy, file), text));
  }
  return copy;
}

async function writeTinyGguf(
  name: string,
  keys: Record<string, MetadataValue>,
  tensors: readonly string[],
): Promise<string> {
  const infos = tensors.map((tensor) => ({ name: tensor, shape: [2, 2], type: 'F32' as const }));
  const parts: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void parts.push(bytes.slice()) };
  await writeGguf(planGguf(new Map(Object.entries(keys)), infos), sink, async function* () {
    yield new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  });
  const path = join(folder, name);
  await writeFile(path, Buffer.concat(parts));
  return path;
}

test('the model in the box is a tied Llama of 7,344,384 parameters in 74 tensors', async () => {
  const model = await openModel('sample');
  const weights = [...model.tensors.values()].map(({ shape }) => weightsOf(shape));
  expect(weights.reduce((total, count) => total + count, 0)).toBe(7344384);
  expect(model.tensors.size).toBe(74);
  expect(model.architecture).toBe('llama');
  expect(model.metadata.get('llama.attention.head_count_kv')).toEqual(meta.uint32(2));
  expect(model.metadata.get('general.name')).toEqual(meta.string('Sample'));
  expect(model.metadata.get('general.size_label')).toEqual(meta.string('7.3M'));
  expect(model.notes).toEqual([expect.stringContaining('Pre-tokenizer "gpt-2"')]);
  expect(model.metadata.get('tokenizer.ggml.model')).toEqual(meta.string('gpt2'));
  const embedding = model.tensors.get('token_embd.weight')!;
  expect((await embedding.read(4095, 1)).length).toBe(512);
  await model.close();
});

test('a GGUF of an unknown architecture passes through, keys and tensors untouched', async () => {
  const keys = { 'general.architecture': meta.string('new-one'), 'new-one.depth': meta.uint32(3) };
  const model = await openModel(await writeTinyGguf('new.gguf', keys, ['strange.weight']));
  expect(model.architecture).toBe('new-one');
  expect(Object.fromEntries(model.metadata)).toEqual(keys);
  const tensor = model.tensors.get('strange.weight')!;
  expect(new Float32Array((await tensor.read(1, 1)).slice().buffer)).toEqual(Float32Array.of(3, 4));
  expect(rowsOf(tensor.shape)).toBe(2);
  await model.close();
});

const splitKeys = (no: number): Record<string, MetadataValue> => ({
  'general.architecture': meta.string('llama'),
  'split.no': { type: 'uint16', value: no },
  'split.count': { type: 'uint16', value: 2 },
  'split.tensors.count': meta.int32(2),
});

test('the first part of a split GGUF opens the others', async () => {
  const first = await writeTinyGguf('part-00001-of-00002.gguf', splitKeys(0), ['a.weight']);
  await writeTinyGguf('part-00002-of-00002.gguf', splitKeys(1), ['b.weight']);
  const model = await openModel(first);
  expect([...model.tensors.keys()]).toEqual(['a.weight', 'b.weight']);
  await model.close();
});

test.each([
  ['a hub name', 'hf:owner/name', 'unsupported', 'git clone https://huggingface.co/owner/name'],
  ['a path that is not there', '/no/such/model', 'not-found', 'sample for the model in the box'],
])('%s is refused with the next step', async (_, reference, code, hint) => {
  await expect(openModel(reference)).rejects.toMatchObject({
    code,
    hint: expect.stringContaining(hint) as string,
  });
});

test('a GGUF that holds no model is refused', async () => {
  const keys = {
    'general.architecture': meta.string('llama'),
    'general.type': meta.string('adapter'),
  };
  const path = await writeTinyGguf('adapter.gguf', keys, ['a.weight']);
  await expect(openModel(path)).rejects.toMatchObject({ code: 'unsupported' });
});

test.each([
  ['a folder without weights', {}, 'not-found', 'has no safetensors file'],
  ['one without config.json', { 'config.json': undefined }, 'not-found', 'has no config.json'],
  ['pickled weights', { 'pytorch_model.bin': '' }, 'unsupported', 'only pickled PyTorch weights'],
  ['shards without an index', { 'a.safetensors': '', 'b.safetensors': '' }, 'not-found', 'but no'],
  [
    'an index to files that are not there',
    { 'model.safetensors.index.json': '{"weight_map":{"a":"x.safetensors"}}' },
    'not-found',
    'x.safetensors',
  ],
  ['damaged weights', { 'model.safetensors': 'no' }, 'truncated', ''],
])('%s is told as such', async (name, changes, code, message) => {
  const copy = await copyOfSample(name.replaceAll(' ', '-'), changes);
  await expect(openModel(copy)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message) as string,
  });
});

test('config.json that is no JSON is told as corrupt', async () => {
  const copy = await copyOfSample('broken-config', { 'config.json': '{' });
  await writeFile(
    join(copy, 'model.safetensors'),
    await readFile(new URL('model.safetensors', sample)),
  );
  await expect(openModel(copy)).rejects.toMatchObject({ code: 'corrupt' });
});

test('licence and sampling defaults come from README.md and generation_config.json', async () => {
  const copy = await copyOfSample('with-card', {
    'README.md': '---\nlicense: "other"\nlicense_name: tiny\n---\n# A model',
    'generation_config.json': '{"temperature": 0.5, "top_k": 20, "top_p": null, "min_p": "no"}',
  });
  await writeFile(
    join(copy, 'model.safetensors'),
    await readFile(new URL('model.safetensors', sample)),
  );
  const model = await openModel(copy);
  const general = [...model.metadata].filter(([key]) => /general\.(license|sampling)/.test(key));
  expect(Object.fromEntries(general)).toEqual({
    'general.license': meta.string('other'),
    'general.license.name': meta.string('tiny'),
    'general.sampling.temp': meta.float32(0.5),
    'general.sampling.top_k': meta.int32(20),
  });
  await model.close();
});
