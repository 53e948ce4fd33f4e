import { expect, test } from 'vitest';
import { memorySource } from '../../util/memory-source.ts';
import { safetensorsBytes } from './sample.cases.ts';
import { openShardedSafetensors } from './sharded.ts';

const one = await safetensorsBytes([{ name: 'w', shape: [2], type: 'U8' }]);
const two = await safetensorsBytes([
  { name: 'b', shape: [3], type: 'U8' },
  { name: 'c', shape: [4], type: 'U8' },
]);
let open = 0;

function openWith(map: Record<string, unknown>, shards: Record<string, Uint8Array>) {
  open = 0;
  return openShardedSafetensors(JSON.stringify({ weight_map: map }), async (name) => {
    open++;
    const source = memorySource(shards[name]!, name);
    return { ...source, close: async () => void open-- };
  });
}
const shards = { 'one.safetensors': one, 'two.safetensors': two };
const map = { w: 'one.safetensors', b: 'two.safetensors', c: 'two.safetensors' };

test('opens each shard once and closes all of them', async () => {
  const file = await openWith(map, shards);
  expect([...file.tensors.keys()]).toEqual(['w', 'b', 'c']);
  expect(await file.tensors.get('b')!.read(0, 1)).toEqual(Uint8Array.of(0, 1, 2));
  expect(file.metadata.get('format')).toBe('pt');
  expect(open).toBe(2);
  await file.close();
  expect(open).toBe(0);
});

test.each([
  '../one.safetensors',
  'a/../../one.safetensors',
  '/etc/one.safetensors',
  'C:\\one.safetensors',
  'C:/one.safetensors',
  'https://host/one.safetensors',
  './one.safetensors',
  '',
  'model.safetensors.index.json',
  7,
  null,
])('the shard name %j is corrupt, and nothing is opened', async (name) => {
  await expect(openWith({ ...map, w: name }, shards)).rejects.toMatchObject({ code: 'corrupt' });
  expect(open).toBe(0);
});

test.each([
  [
    'is not in its shard',
    { ...map, x: 'one.safetensors' },
    shards,
    '1 of 4 tensors are missing: "x"',
  ],
  [
    'is in another shard',
    { ...map, w: 'two.safetensors' },
    shards,
    '1 of 3 tensors are missing: "w"',
  ],
  [
    'is in two shards',
    map,
    { 'one.safetensors': two, 'two.safetensors': two },
    '"b" lies in one.safetensors, but the index says two.safetensors',
  ],
  [
    'is not in the index',
    { w: 'one.safetensors', b: 'two.safetensors' },
    shards,
    '"c" lies in two.safetensors, but the index does not name it',
  ],
])('a tensor that %s is corrupt, and all shards are closed', async (_, map, shards, message) => {
  await expect(openWith(map, shards)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(message),
  });
  expect(open).toBe(0);
});

test.each(['{}', '[]', '{"weight_map":[]}', '{"weight_map":{"a":"a","a":"b"}}', 'no'])(
  'the index %s is corrupt',
  async (index) => {
    const opening = openShardedSafetensors(index, () => {
      throw new Error('must not be called');
    });
    await expect(opening).rejects.toMatchObject({ code: 'corrupt' });
  },
);
