import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { losslessGguf } from './lossless-gguf.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-lossless-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('stopped in the middle, it leaves nothing behind', async () => {
  const stop = new AbortController();
  const writing = losslessGguf('sample', folder, {
    threads: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(folder)).toEqual([]);
});

test('the model in the box stays BF16', async () => {
  const { path, type } = await losslessGguf('sample', folder, { threads: 1 });
  expect(type).toBe('BF16');
  expect(await readdir(folder)).toEqual([path.slice(folder.length + 1)]);
});
