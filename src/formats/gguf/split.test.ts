import { expect, test } from 'vitest';
import { collector } from '../bytes.cases.ts';
import { PithError } from '../../util/errors.ts';
import { memorySource } from '../../util/memory-source.ts';
import { meta, type MetadataValue } from './metadata.ts';
import { planGgufSplits } from './plan-splits.ts';
import type { GgufTensorInfo } from './plan.ts';
import { openSplitGguf, splitFileName } from './split.ts';
import { writeGguf } from './write.ts';

const metadata = new Map<string, MetadataValue>([['general.architecture', meta.string('llama')]]);
const tensors: GgufTensorInfo[] = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({
  name,
  shape: [8 * (i + 1)],
  type: 'F32',
}));

/** The parts of the sample, 32 + 64 | 96 | 128 | 160 bytes of tensors. */
async function parts(): Promise<Map<string, Uint8Array>> {
  const plans = planGgufSplits(metadata, tensors, 160);
  const files = new Map<string, Uint8Array>();
  for (const [i, plan] of plans.entries()) {
    const { sink, bytes } = collector();
    await writeGguf(plan, sink, async function* ({ byteLength }) {
      yield new Uint8Array(byteLength).fill(byteLength);
    });
    files.set(splitFileName('m.gguf', i, plans.length), bytes());
  }
  return files;
}

function openAll(files: ReadonlyMap<string, Uint8Array>, first = 'm-00001-of-00004.gguf') {
  return openSplitGguf(memorySource(files.get(first)!, `/folder/${first}`), async (name) => {
    const bytes = files.get(name);
    if (!bytes) throw new PithError('not-found', `Cannot open ${name}.`);
    return memorySource(bytes, name);
  });
}

test('parts are cut before the tensor that would pass the limit', () => {
  const plans = planGgufSplits(metadata, tensors, 160);
  expect(plans.map((plan) => plan.tensors.map(({ name }) => name).join(''))).toEqual([
    'ab',
    'c',
    'd',
    'e',
  ]);
});

test('the parts open as one model, without the split keys', async () => {
  const model = await openAll(await parts());
  expect([...model.tensors.keys()].join('')).toBe('abcde');
  expect([...model.metadata.keys()]).toEqual(['general.architecture']);
  expect(await model.tensors.get('d')!.read(0, 1)).toEqual(new Uint8Array(128).fill(128));
  expect(model.parts.length).toBe(4);
});

test('what fits in one file is one file without split keys, and opens alone', async () => {
  const [plan, ...others] = planGgufSplits(metadata, tensors, 480);
  expect(others).toEqual([]);
  const { sink, bytes } = collector();
  await writeGguf(plan!, sink, async function* ({ byteLength }) {
    yield new Uint8Array(byteLength);
  });
  const model = await openSplitGguf(memorySource(bytes(), 'any name'), () => {
    throw new Error('must not be called');
  });
  expect([model.tensors.size, model.metadata.size]).toEqual([5, 1]);
});

test('a tensor larger than a part is a usage error with the smallest size that works', () => {
  expect(() => planGgufSplits(metadata, tensors, 159)).toThrow(
    expect.objectContaining({ code: 'usage', hint: 'Allow at least 160 bytes a file.' }),
  );
});

test('a missing part is not-found and says how many belong together', async () => {
  const files = await parts();
  files.delete('m-00003-of-00004.gguf');
  await expect(openAll(files)).rejects.toMatchObject({
    code: 'not-found',
    hint: 'Put all 4 parts of the model in one folder.',
  });
});

test('starting with another part names the first', async () => {
  await expect(openAll(await parts(), 'm-00002-of-00004.gguf')).rejects.toMatchObject({
    code: 'usage',
    hint: 'Give the first one: m-00001-of-00004.gguf.',
  });
});

test('parts in the wrong order, or a part of a tensor count that disagrees, are corrupt', async () => {
  const files = await parts();
  const [two, three] = ['m-00002-of-00004.gguf', 'm-00003-of-00004.gguf'];
  const swapped = new Map([...files, [two, files.get(three)!], [three, files.get(two)!]]);
  await expect(openAll(swapped)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('part 2 of 4 (from 0), expected 1 of 4'),
  });
  const first = files.get('m-00001-of-00004.gguf')!;
  const at = new TextDecoder('latin1').decode(first).indexOf('split.tensors.count');
  const wrong = first.slice();
  wrong[at + 'split.tensors.count'.length + 4] = 6;
  await expect(
    openAll(new Map([...files, ['m-00001-of-00004.gguf', wrong]])),
  ).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('announces 6 tensors'),
  });
});

test('a renamed part cannot lead to the others', async () => {
  const files = await parts();
  files.set('renamed.gguf', files.get('m-00001-of-00004.gguf')!);
  await expect(openAll(files, 'renamed.gguf')).rejects.toMatchObject({
    code: 'not-found',
    hint: 'Name the files NAME-00001-of-00004.gguf and so on.',
  });
});
