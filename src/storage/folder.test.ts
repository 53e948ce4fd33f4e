import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from './folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-folder-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

test('folders are made with those above them, also by several at once, and kept when there', async () => {
  const path = join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(path)]);
  await makeFolder(`${path}/`);
  expect((await stat(path)).isDirectory()).toBe(true);
});

test.each([
  ['file', { code: 'io', message: expect.stringContaining('a file is in its place') }],
  ['file/below', { code: 'not-found', message: expect.stringContaining('a file, not a folder') }],
])('%s, which is no folder, is refused', async (name, error) => {
  await expect(makeFolder(join(folder, name))).rejects.toMatchObject(error);
});

test.runIf(existsSync('/proc/self'))(
  'where no folder can be made, as in /proc, it ends',
  async () => {
    await expect(makeFolder('/proc/pith')).rejects.toMatchObject({ code: 'not-found' });
    await expect(makeFolder('/proc/pith/below')).rejects.toMatchObject({ code: 'not-found' });
  },
);
