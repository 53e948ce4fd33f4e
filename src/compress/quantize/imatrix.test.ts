import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { meta, type Metadata } from '../../formats/gguf/metadata.ts';
import { planGguf } from '../../formats/gguf/plan.ts';
import { writeGguf } from '../../formats/gguf/write.ts';
import type { Model } from '../../models/model.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import { PithError } from '../../util/errors.ts';
import { memorySource } from '../../util/memory-source.ts';
import { parseFileType } from './file-types.ts';
import { readImatrix } from './imatrix.ts';
import { planQuantization } from './plan.ts';

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const concat = (parts: readonly Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

const header: Metadata = new Map([
  ['general.type', meta.string('imatrix')],
  ['imatrix.datasets', meta.strings(['stories.txt'])],
  ['imatrix.chunk_count', meta.uint32(7)],
]);

type Entries = Record<string, { shape: number[]; values: number[] }>;

async function ggufBytes(entries: Entries, metadata = header): Promise<Uint8Array> {
  const infos = Object.entries(entries).map(([name, { shape }]) => ({
    name,
    shape,
    type: 'F32' as const,
  }));
  const parts: Uint8Array[] = [];
  const sink = { write: async (bytes: Uint8Array) => void parts.push(bytes.slice()) };
  await writeGguf(planGguf(metadata, infos), sink, async function* ({ name }) {
    yield bytesOf(entries[name]!.values);
  });
  return concat(parts);
}

const read = async (entries: Entries) => readImatrix(memorySource(await ggufBytes(entries)));
const dense: Entries = {
  'blk.0.ffn_up.weight.in_sum2': { shape: [3], values: [2, 4, 6] },
  'blk.0.ffn_up.weight.counts': { shape: [1], values: [2] },
};

test('importance is the sum of squares over the count of tokens', async () => {
  const imatrix = await read(dense);
  expect(imatrix).toMatchObject({ datasets: ['stories.txt'], chunks: 7, notes: [] });
  expect(imatrix.entries.get('blk.0.ffn_up.weight')).toEqual({
    experts: 1,
    values: Float32Array.of(1, 2, 3),
  });
});

test('an expert that saw no token takes its layer’s mean over all tokens, and a note says so', async () => {
  const imatrix = await read({
    'up.in_sum2': { shape: [3, 2], values: [6, 12, 0, 0, 2, 0] },
    'up.counts': { shape: [3, 1], values: [3, 0, 1] },
  });
  expect([...imatrix.entries.get('up')!.values]).toEqual([2, 4, 2, 3, 2, 0]);
  expect(imatrix.notes).toEqual(["up: 1 of 3 experts saw no token; they take their layer's mean."]);
});

test('a tensor that no token reached has no importance, and a note says so', async () => {
  const imatrix = await read({
    'up.in_sum2': { shape: [2], values: [0, 0] },
    'up.counts': { shape: [1], values: [0] },
  });
  expect(imatrix.entries.size).toBe(0);
  expect(imatrix.notes).toEqual(['up: no token reached it, so it has no importance.']);
});

test.each([
  ['not-finite', [1, NaN, 1], 'up is NaN at position 1'],
  ['not-finite', [1, 1, Infinity], 'up is Infinity at position 2'],
  ['corrupt', [-1, 0, 0], 'up is -1 at position 0'],
])('%s sums are refused with tensor and position', async (code, values, place) => {
  const entries = {
    'up.in_sum2': { shape: [3], values },
    'up.counts': { shape: [1], values: [1] },
  };
  await expect(read(entries)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(place) as string,
  });
});

test('sums without counts, and a GGUF that is no imatrix, are refused', async () => {
  const { 'blk.0.ffn_up.weight.in_sum2': sums } = dense;
  await expect(read({ 'up.in_sum2': sums! })).rejects.toMatchObject({ code: 'corrupt' });
  await expect(read({ up: sums! })).rejects.toMatchObject({ code: 'unsupported' });
});

const int32 = (value: number) => new Uint8Array(Int32Array.of(value).buffer);
const text = (value: string) => concat([int32(value.length), new TextEncoder().encode(value)]);
const legacy = concat([
  int32(1),
  text('blk.0.ffn_up.weight'),
  int32(4),
  int32(2),
  bytesOf([8, 2]),
  int32(9),
  text('stories.txt'),
]);

test('the older .dat form divides sums by calls and keeps chunks and data set', async () => {
  const imatrix = await readImatrix(memorySource(legacy));
  expect(imatrix).toMatchObject({ datasets: ['stories.txt'], chunks: 9 });
  expect([...imatrix.entries.get('blk.0.ffn_up.weight')!.values]).toEqual([2, 0.5]);
});

async function endsWell(bytes: Uint8Array): Promise<boolean> {
  try {
    await readImatrix(memorySource(bytes));
    return true;
  } catch (error) {
    return error instanceof PithError;
  }
}

test('damaged .dat and GGUF files end in a PithError or a value, never in anything else', async () => {
  const gguf = await ggufBytes(dense);
  const damage = fc.record({
    form: fc.constantFrom(legacy, gguf),
    length: fc.nat(400),
    at: fc.nat(200),
    value: fc.nat(255),
  });
  const property = fc.asyncProperty(damage, ({ form, length, at, value }) => {
    const bytes = form.slice(0, length);
    if (at < bytes.length) bytes[at] = value;
    return endsWell(bytes);
  });
  expect(await fc.check(property, { numRuns: 300 })).toMatchObject({ failed: false });
});

const model: Model = fakeModel({
  architecture: 'llama',
  keys: { block_count: 1 },
  shapes: {
    'token_embd.weight': [32, 256],
    'blk.0.ffn_up.weight': [512, 256],
    'blk.0.ffn_down_exps.weight': [2, 256, 512],
  },
});
const q4 = parseFileType('Q4_K_M');
const filled = (experts: number, length: number) => ({ experts, values: new Float32Array(length) });
const imatrixOf = (entries: Record<string, ReturnType<typeof filled>>) => ({
  source: 'imatrix.gguf',
  datasets: ['stories.txt'],
  chunks: 7,
  entries: new Map(Object.entries(entries)),
  notes: [],
});

test('the plan hands each tensor its importance, names those without, and writes llama-quantize’s keys', () => {
  const imatrix = imatrixOf({
    'blk.0.ffn_up.weight': filled(1, 256),
    'blk.0.ffn_down_exps.weight': filled(2, 1024),
  });
  const plan = planQuantization(model, { type: q4, imatrix });
  expect(plan.tensors.map(({ importance }) => importance?.length)).toEqual([undefined, 256, 1024]);
  expect(plan.notes).toEqual(['imatrix.gguf has no importance for token_embd.weight.']);
  const keys = [...plan.metadata].filter(([key]) => key.startsWith('quantize.'));
  expect(keys).toEqual([
    ['quantize.imatrix.file', meta.string('imatrix.gguf')],
    ['quantize.imatrix.dataset', meta.string('stories.txt')],
    ['quantize.imatrix.entries_count', meta.uint32(2)],
    ['quantize.imatrix.chunks_count', meta.uint32(7)],
  ]);
});

test('importance of the wrong length, or for another model, is refused', () => {
  const plan = (entries: Record<string, ReturnType<typeof filled>>) => () =>
    planQuantization(model, { type: q4, imatrix: imatrixOf(entries) });
  expect(plan({ 'blk.0.ffn_down_exps.weight': filled(1, 512) })).toThrow(
    'has 2 × 512 input columns, but imatrix.gguf has importance for 512.',
  );
  expect(plan({ 'blk.9.ffn_up.weight': filled(1, 256) })).toThrow('none of them in fake');
});
