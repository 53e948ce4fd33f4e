import { expect, test } from 'vitest';
import { memorySource } from '../../util/memory-source.ts';
import { openSafetensors } from './open.ts';
import { headed, safetensorsBytes } from './sample.cases.ts';

const open = (bytes: Uint8Array) => openSafetensors(memorySource(bytes, 'x.safetensors'));
const tensor = (dtype: unknown, shape: unknown, offsets: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

test('tensors come in the order of their bytes and read by rows', async () => {
  const file = await open(await safetensorsBytes());
  expect([...file.tensors.keys()]).toEqual(['one', 'b', 'w', 'none']);
  expect(file.metadata).toEqual(new Map([['format', 'pt']]));
  const { tensors } = file;
  expect(await tensors.get('w')!.read(1, 1)).toEqual(Uint8Array.of(8, 9, 10, 11, 12, 13, 14, 15));
  expect(await tensors.get('one')!.read(0, 1)).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));
  expect(await tensors.get('none')!.read(0, 0)).toEqual(new Uint8Array(0));
  await expect(tensors.get('none')!.read(0, 1)).rejects.toMatchObject({ code: 'shape' });
  await expect(tensors.get('w')!.read(-1, 1)).rejects.toMatchObject({ code: 'shape' });
});

test('a header of {} is a file of no tensors', async () => {
  expect((await open(headed('{}   '))).tensors.size).toBe(0);
});

test('a tensor named __proto__ is a tensor', async () => {
  const file = await open(headed(`{"__proto__":${tensor('U8', [2], [0, 2])}}`, new Uint8Array(2)));
  expect([...file.tensors.keys()]).toEqual(['__proto__']);
});

test.each([
  ['a hole', `{"a":${tensor('U8', [1], [1, 2])}}`, 'leaves a hole before it'],
  ['an overlap', `{"a":${tensor('U8', [2], [0, 2])},"b":${tensor('U8', [1], [1, 2])}}`, 'overlaps'],
  ['bytes of none', `{"a":${tensor('U8', [1], [0, 1])}}`, '1 bytes after the last tensor'],
  ['a wrong span', `{"a":${tensor('F32', [1], [0, 2])}}`, 'takes 4 bytes, but its offsets span 2'],
  ['falling offsets', `{"a":${tensor('U8', [1], [2, 1])}}`, 'the offsets [2, 1]'],
  ['three offsets', `{"a":${tensor('U8', [2], [0, 1, 2])}}`, 'the offsets [0, 1, 2]'],
  ['a negative size', `{"a":${tensor('U8', [-2], [0, 2])}}`, 'whole numbers from 0 to 2^53'],
  ['a size of 1.5', `{"a":${tensor('U8', [1.5], [0, 2])}}`, 'whole numbers'],
  ['a size of 2^53', `{"a":${tensor('U8', [2 ** 53], [0, 2])}}`, 'whole numbers'],
  ['2^60 bytes', `{"a":${tensor('U8', [2 ** 30, 2 ** 30], [0, 2])}}`, 'beyond 2^53'],
  ['a text as size', `{"a":${tensor('U8', ['2'], [0, 2])}}`, 'whole numbers'],
  ['a number as dtype', `{"a":${tensor(8, [2], [0, 2])}}`, 'dtype of "a" is not a text'],
  [
    'a missing field',
    '{"a":{"dtype":"U8","shape":[2]}}',
    'must have dtype, shape and data_offsets',
  ],
  ['a list as tensor', '{"a":[]}', 'must have dtype'],
  ['a name twice', '{"a":1,"a":1}', 'has the key "a" twice'],
  ['a list', '[]', 'not a JSON object'],
  ['no JSON', '{"a"', 'lacks a ":"'],
  ['a number as metadata', '{"__metadata__":{"a":1}}', 'must map texts to texts'],
])('%s is corrupt', async (_, header, message) => {
  await expect(open(headed(header, new Uint8Array(2)))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(message),
  });
});

test('an unknown dtype is unsupported, and the known ones are listed', async () => {
  const bytes = headed(`{"a":${tensor('F4', [2], [0, 1])}}`, new Uint8Array(1));
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/"a" has the dtype F4; Pith reads BOOL, .*F64/),
  });
});

test('a header over 100 MB is corrupt, one past the end truncated, whatever follows', async () => {
  const bytes = headed('{}', new Uint8Array(20));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 100_000_001n, true);
  await expect(open(bytes)).rejects.toMatchObject({ code: 'corrupt' });
  view.setBigUint64(0, 23n, true);
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('the header has 23 bytes, but only 22 follow'),
  });
});

test('missing data are truncated with both sizes', async () => {
  const bytes = headed(`{"a":${tensor('F32', [2], [0, 8])}}`, new Uint8Array(7));
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('the tensors take 8 bytes, but only 7 follow'),
  });
});

test('a header that is not UTF-8 is corrupt', async () => {
  const bytes = headed('{"a":1}');
  bytes[10] = 0xff;
  await expect(open(bytes)).rejects.toMatchObject({
    message: expect.stringContaining('not UTF-8'),
  });
});
