import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { MetadataArray, MetadataValue } from '../src/formats/gguf/metadata.ts';
import { openGguf } from '../src/formats/gguf/open.ts';
import { planGguf } from '../src/formats/gguf/plan.ts';
import { writeGguf } from '../src/formats/gguf/write.ts';
import { openSafetensors, type SafetensorsFile } from '../src/formats/safetensors/open.ts';
import { planSafetensors, writeSafetensors } from '../src/formats/safetensors/write.ts';
import { rowsOf, weightsOf, type Tensor } from '../src/tensor/tensor.ts';
import { openFile } from '../src/storage/file-source.ts';
import { memorySource } from '../src/util/memory-source.ts';

const goldens = resolve(import.meta.dirname, 'golden/formats');
const bytesOf = (name: string) => new Uint8Array(readFileSync(resolve(goldens, name)));
const expectedOf = (name: string) =>
  JSON.parse(readFileSync(resolve(goldens, `${name}.json`), 'utf8')) as {
    metadata: never;
    tensors: [string, { shape: number[]; type: string; hex: string }][];
  };

async function allBytes(tensor: Tensor): Promise<Uint8Array> {
  return tensor.read(0, rowsOf(tensor.shape));
}

async function described(tensors: Iterable<Tensor>) {
  const found = [];
  for (const tensor of tensors) {
    const { name, shape, type } = tensor;
    const hex = Buffer.from(await allBytes(tensor)).toString('hex');
    found.push([name, { shape: [...shape], type, hex }]);
  }
  return found;
}

/** 64-bit integers as texts and typed arrays as arrays, as the golden JSON has them. */
function plain(value: MetadataValue): unknown {
  if (value.type !== 'array') {
    return typeof value.value === 'bigint' ? { ...value, value: String(value.value) } : value;
  }
  const items: unknown[] = Array.from<unknown>(value.value as ArrayLike<unknown>);
  const isNested = value.items === 'array';
  const convert = (item: unknown) =>
    typeof item === 'bigint' ? String(item) : isNested ? plain(item as MetadataArray) : item;
  return { ...value, value: items.map(convert) };
}

function collector() {
  const chunks: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void chunks.push(bytes.slice()) };
  return { sink, bytes: () => new Uint8Array(Buffer.concat(chunks)) };
}

test.each([
  ['every-type', 32],
  ['alignment-64', 64],
])('%s.gguf of gguf-py 0.19.0: keys of every type, 8 tensors', async (name, alignment) => {
  const expected = expectedOf(name);
  const file = await openGguf(memorySource(bytesOf(`${name}.gguf`)));
  expect(file.version).toBe(3);
  expect(file.alignment).toBe(alignment);
  expect([...file.metadata].map(([key, value]) => [key, plain(value)])).toEqual(expected.metadata);
  expect(await described(file.tensors.values())).toEqual(expected.tensors);
});

test.each(['every-type', 'alignment-64'])('%s.gguf is written byte for byte', async (name) => {
  const golden = bytesOf(`${name}.gguf`);
  const file = await openGguf(memorySource(golden));
  const infos = [...file.tensors.values()];
  const plan = planGguf(file.metadata, infos);
  expect(plan.totalBytes).toBe(golden.length);
  const { sink, bytes } = collector();
  await writeGguf(plan, sink, async function* (tensor) {
    yield await allBytes(file.tensors.get(tensor.name)!);
  });
  expect(bytes()).toEqual(golden);
});

test('every-dtype.safetensors of safetensors 0.8.0: 16 dtypes, a scalar, an empty tensor', async () => {
  const expected = expectedOf('every-dtype');
  const file = await openSafetensors(memorySource(bytesOf('every-dtype.safetensors')));
  expect(Object.fromEntries(file.metadata)).toEqual(expected.metadata);
  const found = await described(file.tensors.values());
  expect(new Map(found as never)).toEqual(new Map(expected.tensors));
});

test('every-dtype.safetensors is written byte for byte', async () => {
  const golden = bytesOf('every-dtype.safetensors');
  const file = await openSafetensors(memorySource(golden));
  const { plan, bytes } = await rewritten(file);
  expect(plan.totalBytes).toBe(golden.length);
  expect(bytes).toEqual(golden);
});

async function rewritten(file: SafetensorsFile) {
  const infos = [...file.tensors.values()];
  const plan = planSafetensors(infos.toReversed(), file.metadata);
  const { sink, bytes } = collector();
  await writeSafetensors(plan, sink, async function* (tensor) {
    yield await allBytes(file.tensors.get(tensor.name)!);
  });
  return { plan, bytes: bytes() };
}

test('the sample model holds 7,344,384 BF16 parameters in 74 tensors', async () => {
  const path = resolve(import.meta.dirname, '../models/sample/model.safetensors');
  const file = await openSafetensors(await openFile(path));
  const tensors = [...file.tensors.values()];
  expect(tensors.length).toBe(74);
  expect(new Set(tensors.map(({ type }) => type))).toEqual(new Set(['BF16']));
  expect(tensors.reduce((sum, { shape }) => sum + weightsOf(shape), 0)).toBe(7_344_384);
  const embedding = file.tensors.get('model.embed_tokens.weight')!;
  expect(embedding.shape).toEqual([4096, 256]);
  expect((await embedding.read(4095, 1)).length).toBe(512);
  await file.close();
});
