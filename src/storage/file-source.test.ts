import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFile } from './file-source.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

test('200 reads at once each get the bytes of their own place', async () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251);
  const source = await openFile(await fileOf('many', bytes));
  expect(source.byteLength).toBe(5000);
  const starts = Array.from({ length: 200 }, (_, i) => i * 24);
  const reads = await Promise.all(starts.map((start) => source.read(start, 200)));
  expect(reads).toEqual(starts.map((start) => bytes.slice(start, start + 200)));
  await source.close();
});

test('bytes are read into the memory that is given, also when threads share it', async () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  const source = await openFile(await fileOf('into', bytes));
  const room = new Uint8Array(new SharedArrayBuffer(64));
  const got = await source.read(30, 50, room);
  expect([got.buffer, got.byteOffset]).toEqual([room.buffer, 0]);
  expect(Uint8Array.from(got)).toEqual(bytes.subarray(30, 80));
  await source.close();
});

test('reading past the end says which bytes were wanted and how many there are', async () => {
  const source = await openFile(await fileOf('short', new Uint8Array(10)));
  expect(await source.read(10, 0)).toEqual(new Uint8Array(0));
  await expect(source.read(8, 4)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('bytes 8 to 12, but it has 10'),
  });
  await expect(source.read(-1, 2)).rejects.toMatchObject({ code: 'truncated' });
  await source.close();
});

test('a file that shrinks while it is open gives truncated, not stale zeros', async () => {
  const path = await fileOf('shrinks', new Uint8Array(100).fill(7));
  const source = await openFile(path);
  await truncate(path, 40);
  expect(await source.read(0, 40)).toEqual(new Uint8Array(40).fill(7));
  await expect(source.read(30, 20)).rejects.toMatchObject({
    code: 'truncated',
    message: expect.stringContaining('it has 40'),
  });
  await source.close();
});

test('a missing file is not-found; a folder is io with the advice to give a file', async () => {
  await expect(openFile(join(folder, 'nothing'))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('nothing'),
  });
  await expect(openFile(join(folder, 'a', 'b'))).rejects.toMatchObject({ code: 'not-found' });
  await expect(openFile(folder)).rejects.toMatchObject({
    code: 'io',
    hint: 'Give the path of a file.',
  });
});

test.skipIf(process.platform === 'win32')('a named pipe is refused without waiting', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  await expect(openFile(path)).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('not a file'),
  });
});

test('a read that no memory holds is a PithError', async () => {
  const path = join(folder, 'sparse');
  await writeFile(path, '');
  await truncate(path, 2 ** 42);
  const source = await openFile(path);
  await expect(source.read(0, 2 ** 42)).rejects.toMatchObject({ code: 'unsupported' });
  await source.close();
});
