import { expect, test } from 'vitest';
import { collector } from '../bytes.cases.ts';
import { memorySource } from '../../util/memory-source.ts';
import { meta, type MetadataValue } from './metadata.ts';
import { openGguf } from './open.ts';
import { planGguf, type GgufTensorInfo } from './plan.ts';
import { ggufBytes, sampleMetadata, sampleTensors } from './sample.cases.ts';
import { writeGguf } from './write.ts';

const vector = (name: string): GgufTensorInfo => ({ name, shape: [8], type: 'F32' });

test('offsets are absolute, aligned and padded; the total is known before any byte', async () => {
  const plan = planGguf(sampleMetadata, sampleTensors);
  expect(plan.header.length % 32).toBe(0);
  expect(plan.tensors.map(({ offset }) => offset - plan.header.length)).toEqual([0, 224, 256]);
  expect(plan.tensors.map(({ byteLength }) => byteLength)).toEqual([204, 20, 36]);
  expect(plan.tensors.map(({ paddedLength }) => paddedLength)).toEqual([224, 32, 64]);
  expect(plan.totalBytes).toBe(plan.header.length + 320);
  expect((await ggufBytes()).length).toBe(plan.totalBytes);
});

test('general.alignment 256 moves tensors to multiples of 256', () => {
  const metadata = new Map([['general.alignment', meta.uint32(256)]]);
  const plan = planGguf(metadata, [vector('a'), vector('b')]);
  expect(plan.tensors.map(({ offset }) => offset)).toEqual([256, 512]);
  expect(plan.totalBytes).toBe(768);
});

test('a file without tensors is its padded header', () => {
  const plan = planGguf(new Map(), []);
  expect([plan.header.length, plan.totalBytes]).toEqual([32, 32]);
});

test.each<[string, MetadataValue]>([
  ['256 in uint8', { type: 'uint8', value: 256 }],
  ['-1 in uint32', meta.uint32(-1)],
  ['0.5 in int32', meta.int32(0.5)],
  ['2^64 in uint64', { type: 'uint64', value: 2n ** 64n }],
  ['-2^63 - 1 in an array of int64', { type: 'array', items: 'int64', value: [-(2n ** 63n) - 1n] }],
  ['40000 in an array of int16', { type: 'array', items: 'int16', value: [1, 40000] }],
])('%s is refused, not wrapped', (_, value) => {
  expect(() => planGguf(new Map([['key', value]]), [])).toThrow('GGUF key "key"');
});

test.each<[string, GgufTensorInfo[], string]>([
  ['a name twice', [vector('a'), vector('a')], 'Two tensors are named "a"'],
  ['a name of 64 bytes', [vector('é'.repeat(32))], 'has 64 bytes; llama.cpp loads 63'],
  ['five dimensions', [{ name: 'a', shape: [1, 1, 1, 1, 32], type: 'F32' }], 'more than 4'],
  ['rows of 48 in Q8_0', [{ name: 'a', shape: [2, 48], type: 'Q8_0' }], 'whole blocks of 32'],
])('%s is refused', (_, tensors, message) => {
  expect(() => planGguf(new Map(), tensors)).toThrow(message);
});

test('an empty key and an alignment of 33 are refused', () => {
  expect(() => planGguf(new Map([['', meta.bool(true)]]), [])).toThrow('is empty');
  const metadata = new Map([['general.alignment', meta.uint32(33)]]);
  expect(() => planGguf(metadata, [])).toThrow('33, which is no power of two up to 65536');
});

test('a write resumed at any checkpoint gives the same bytes', async () => {
  const whole = await ggufBytes();
  const file = await openGguf(memorySource(whole));
  const plan = planGguf(file.metadata, sampleTensors);
  const stops = [0];
  const write = async (resumeOffset: number) => {
    const { sink, bytes } = collector();
    let offset = resumeOffset;
    const counting = {
      write: async (chunk: Uint8Array) => {
        offset += chunk.length;
        await sink.write(chunk);
      },
      checkpoint: async () => void stops.push(offset),
    };
    await writeGguf(
      plan,
      counting,
      async function* ({ name, byteLength }) {
        const bytes = whole.subarray(file.tensors.get(name)!.offset).subarray(0, byteLength);
        yield bytes.subarray(0, 7);
        yield bytes.subarray(7);
      },
      resumeOffset,
    );
    return bytes();
  };
  expect(await write(0)).toEqual(whole);
  expect(stops.length).toBe(5);
  for (const stop of stops.slice(0, 5)) expect(await write(stop)).toEqual(whole.slice(stop));
  await expect(write(5)).rejects.toMatchObject({ code: 'shape' });
});

test('a tensor that yields one byte too few or too many is refused', async () => {
  const plan = planGguf(new Map(), [vector('a')]);
  for (const length of [31, 33]) {
    const writing = writeGguf(plan, collector().sink, async function* () {
      yield new Uint8Array(length);
    });
    await expect(writing).rejects.toMatchObject({
      code: 'shape',
      message: expect.stringContaining('a: planned 32 bytes'),
    });
  }
});
