import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeAtomic } from './write-atomic.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-atomic-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('replaces a file and leaves nothing beside it', async () => {
  const path = join(folder, 'report.json');
  await writeAtomic(path, 'one');
  await writeAtomic(path, Uint8Array.of(116, 119, 111));
  expect(await readFile(path, 'utf8')).toBe('two');
  expect(await readdir(folder)).toEqual(['report.json']);
});

test('a failed write removes its temporary file', async () => {
  const path = join(folder, 'folder');
  await mkdir(path);
  await expect(writeAtomic(path, 'x')).rejects.toMatchObject({ code: 'io' });
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  await expect(writeAtomic(join(folder, 'no', 'x'), 'x')).rejects.toMatchObject({
    code: 'not-found',
  });
});
