import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock } from './lock-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-lock-'));
  path = join(folder, 'out.lock');
});
afterEach(() => rm(folder, { recursive: true }));

const lockOf = (holder: object) => writeFile(path, JSON.stringify(holder));

test('a second taker gets a conflict that names the process, until the first gives back', async () => {
  const release = await acquireLock(path);
  await expect(acquireLock(path)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
  });
  await release();
  await (
    await acquireLock(path)
  )();
  expect(await readdir(folder)).toEqual([]);
});

test('of 20 takers at once exactly one succeeds, also over a stale lock', async () => {
  await lockOf({ pid: 2 ** 30, host: hostname(), started: '' });
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(path)));
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
});

test('the lock of a process that is gone is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  await lockOf({ pid, host: hostname(), started: '1' });
  const release = await acquireLock(path);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  await release();
});

test.runIf(process.platform === 'linux')(
  'the lock of an older process with the pid of a living one is taken over',
  async () => {
    await lockOf({ pid: process.pid, host: hostname(), started: '1' });
    await (
      await acquireLock(path)
    )();
    expect(await readdir(folder)).toEqual([]);
  },
);

test('a lock from another machine is a conflict: its process cannot be seen from here', async () => {
  await lockOf({ pid: 1, host: 'another', started: '1' });
  await expect(acquireLock(path)).rejects.toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('delete this file'),
  });
});

test('an empty lock is respected for 5 s, then taken over', async () => {
  await writeFile(path, '');
  await expect(acquireLock(path)).rejects.toMatchObject({ code: 'conflict' });
  const before = Date.now() / 1000 - 6;
  await utimes(path, before, before);
  await (
    await acquireLock(path)
  )();
});
