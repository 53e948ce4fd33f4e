import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { journalLine } from './journal.ts';
import { openOutput } from './output-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-output-'));
  path = join(folder, 'model.gguf');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + 7) % 256);
const contentOf = async (file: string) => new Uint8Array(await readFile(file));

test('the file has its name only after finish, and nothing else is left then', async () => {
  const out = await openOutput(path, { planHash: 'a', totalBytes: 10 });
  expect([out.resumeOffset, out.completed, out.restarted]).toEqual([0, [], false]);
  await out.write(bytesOf(10));
  await out.checkpoint('all');
  expect((await readdir(folder)).sort()).toEqual([
    'model.gguf.journal',
    'model.gguf.lock',
    'model.gguf.partial',
  ]);
  await out.finish();
  expect(await readdir(folder)).toEqual(['model.gguf']);
  expect(await contentOf(path)).toEqual(bytesOf(10));
});

test('an output of zero bytes can be finished', async () => {
  await (await openOutput(path, { planHash: 'a', totalBytes: 0 })).finish();
  expect((await stat(path)).size).toBe(0);
});

test('abandoned work resumes after its last checkpoint, with the details of its steps', async () => {
  const plan = { planHash: 'a', totalBytes: 100 };
  const first = await openOutput(path, plan);
  await first.write(bytesOf(100).subarray(0, 30));
  await first.checkpoint('blk.0', { error: 0.25 });
  await first.write(new Uint8Array(20));
  await first.abandon();
  await first.abandon();
  const second = await openOutput(path, plan);
  expect(second.resumeOffset).toBe(30);
  expect(second.completed).toEqual([{ step: 'blk.0', offset: 30, detail: { error: 0.25 } }]);
  await second.write(bytesOf(100).subarray(30));
  await second.finish();
  expect(await contentOf(path)).toEqual(bytesOf(100));
});

test('a journal cut at any byte and a longer partial file resume to the same bytes', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(5), cuts, fc.nat(50), async (sizes, stopAfter, cut, extra) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const plan = { planHash: 'plan', totalBytes: total, force: true };
      const steps = sizes.map((size, i) => ({ size, step: `tensor-${i}-é` }));
      const first = await openOutput(path, plan);
      let offset = 0;
      for (const { size, step } of steps.slice(0, stopAfter)) {
        await first.write(bytesOf(total).subarray(offset, (offset += size)));
        await first.checkpoint(step);
      }
      await first.abandon();
      await truncate(`${path}.partial`, offset + extra);
      const journalBytes = (await stat(`${path}.journal`)).size;
      await truncate(`${path}.journal`, Math.round(cut * journalBytes));
      const second = await openOutput(path, plan);
      expect(second.resumeOffset).toBeLessThanOrEqual(offset);
      if (cut === 1) expect(second.resumeOffset).toBe(offset);
      await second.write(bytesOf(total).subarray(second.resumeOffset));
      await second.finish();
      expect(await contentOf(path)).toEqual(bytesOf(total));
    }),
    { numRuns: 60 },
  );
});

test('after half a second of writing, complete steps reach the journal while writing goes on', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(0);
  const out = await openOutput(path, { planHash: 'a', totalBytes: 8 });
  await out.write(bytesOf(8).subarray(0, 4));
  await out.checkpoint('first');
  now.mockReturnValue(499);
  await out.write(bytesOf(8).subarray(4, 5));
  const journal = () => readFile(`${path}.journal`, 'utf8');
  expect(await journal()).not.toContain('first');
  now.mockReturnValue(500);
  await out.write(bytesOf(8).subarray(5, 6));
  await vi.waitFor(async () => {
    expect(await journal()).toContain(journalLine({ step: 'first', offset: 4 }));
  });
  await out.discard();
});

test('work of another plan is thrown away, and the caller is told', async () => {
  const first = await openOutput(path, { planHash: 'a', totalBytes: 8 });
  await first.write(new Uint8Array(8));
  await first.checkpoint('x');
  await first.abandon();
  const second = await openOutput(path, { planHash: 'b', totalBytes: 8 });
  expect([second.resumeOffset, second.restarted]).toEqual([0, true]);
  await second.write(bytesOf(8));
  await second.finish();
  expect(await contentOf(path)).toEqual(bytesOf(8));
});

test('a partial file shorter than its journal says cannot be trusted: it starts over', async () => {
  const plan = { planHash: 'a', totalBytes: 8 };
  const first = await openOutput(path, plan);
  await first.write(bytesOf(8));
  await first.checkpoint('x');
  await first.abandon();
  await truncate(`${path}.partial`, 7);
  const second = await openOutput(path, plan);
  expect([second.resumeOffset, second.restarted]).toEqual([0, true]);
  await second.discard();
  expect(await readdir(folder)).toEqual([]);
});

test('an existing file is refused without force, and with it stays until the rename', async () => {
  await writeFile(path, 'old');
  const plan = { planHash: 'a', totalBytes: 3 };
  await expect(openOutput(path, plan)).rejects.toMatchObject({ code: 'conflict' });
  expect(await readdir(folder)).toEqual(['model.gguf']);
  const out = await openOutput(path, { ...plan, force: true });
  await out.write(bytesOf(3));
  expect(await readFile(path, 'utf8')).toBe('old');
  await out.finish();
  expect(await contentOf(path)).toEqual(bytesOf(3));
});

test('a crash after the rename, before the journal is removed, leaves nothing to write', async () => {
  const plan = { planHash: 'a', totalBytes: 5 };
  await writeFile(path, bytesOf(5));
  const { ino } = await stat(path);
  const finished = journalLine({ step: 'finish', offset: 5, detail: ino });
  const journal = journalLine({ planHash: 'a', totalBytes: 5 }) + finished;
  await writeFile(`${path}.journal`, journal);
  await expect(openOutput(path, { ...plan, planHash: 'b' })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await contentOf(path)).toEqual(bytesOf(5));
  const out = await openOutput(path, plan);
  expect(out.resumeOffset).toBe(5);
  await out.finish();
  expect(await contentOf(path)).toEqual(bytesOf(5));
  expect(await readdir(folder)).toEqual(['model.gguf']);
});

test('the journal grows 5 s after the last sync, not at every checkpoint', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
  const out = await openOutput(path, { planHash: 'a', totalBytes: 9 });
  const lines = async () => (await readFile(`${path}.journal`, 'utf8')).trim().split('\n').length;
  await out.write(bytesOf(3));
  await out.checkpoint('one');
  expect(await lines()).toBe(1);
  now.mockReturnValue(1_005_000);
  await out.write(bytesOf(3));
  await out.checkpoint('two');
  expect(await lines()).toBe(3);
  await out.checkpoint('three');
  expect(await lines()).toBe(3);
  await out.discard();
});

test('the disk begins after 32 MiB, while writing goes on; what it fails at ends the output', async () => {
  const totalBytes = 100 * 2 ** 20;
  const out = await openOutput(path, { planHash: 'a', totalBytes });
  const probe = await open(path + '.partial');
  const fileHandle = Object.getPrototypeOf(probe) as typeof probe;
  await probe.close();
  const full = Object.assign(new Error('disk'), { code: 'ENOSPC' });
  const datasync = vi.spyOn(fileHandle, 'datasync').mockRejectedValueOnce(full);
  const chunk = new Uint8Array(2 ** 24);
  await out.write(chunk);
  expect(datasync).toHaveBeenCalledTimes(0);
  await out.write(chunk);
  expect(datasync).toHaveBeenCalledTimes(1);
  await expect(out.write(chunk)).rejects.toMatchObject({ code: 'no-space' });
  await out.discard();
});

test('calls that are not awaited are carried out in order', async () => {
  const out = await openOutput(path, { planHash: 'a', totalBytes: 256 });
  const writes = Array.from({ length: 32 }, (_, i) =>
    out.write(bytesOf(256).subarray(i * 8, i * 8 + 8)),
  );
  await Promise.all([...writes, out.finish()]);
  expect(await contentOf(path)).toEqual(bytesOf(256));
});

test('too many and too few bytes are shape errors with both numbers', async () => {
  const long = await openOutput(path, { planHash: 'a', totalBytes: 4 });
  await expect(long.write(bytesOf(5))).rejects.toMatchObject({
    code: 'shape',
    message: expect.stringContaining('0 + 5 of 4'),
  });
  await expect(long.write(bytesOf(1))).rejects.toMatchObject({ code: 'shape' });
  await long.discard();
  const short = await openOutput(path, { planHash: 'a', totalBytes: 4 });
  await short.write(bytesOf(3));
  await expect(short.finish()).rejects.toMatchObject({
    code: 'shape',
    message: expect.stringContaining('3 of 4 bytes'),
  });
  await short.discard();
  expect(await readdir(folder)).toEqual([]);
});

test.runIf(process.platform === 'linux')('a full disk is no-space with the numbers', async () => {
  await symlink('/dev/full', `${path}.partial`);
  const out = await openOutput(path, { planHash: 'a', totalBytes: 100 });
  await expect(out.write(bytesOf(60))).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringContaining('0 of 100 bytes are written'),
    hint: expect.stringContaining('run the same command again'),
  });
  await out.abandon();
  expect((await readdir(folder)).sort()).toEqual(['model.gguf.journal', 'model.gguf.partial']);
});

test('a folder is never replaced by a file, also not by force', async () => {
  const plan = { planHash: 'a', totalBytes: 1, force: true };
  await expect(openOutput(folder, plan)).rejects.toMatchObject({ code: 'conflict' });
});

test('a file of 2^52 bytes is refused before anything is written', async () => {
  await expect(openOutput(path, { planHash: 'a', totalBytes: 2 ** 52 })).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringContaining('needs 4503599627370496 bytes'),
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a missing folder is not-found with the command that creates it', async () => {
  const lost = join(folder, 'no', 'model.gguf');
  await expect(openOutput(lost, { planHash: 'a', totalBytes: 1 })).rejects.toMatchObject({
    code: 'not-found',
    hint: `Create it first: mkdir -p "${join(folder, 'no')}"`,
  });
  await writeFile(join(folder, 'file'), '');
  const inFile = join(folder, 'file', 'model.gguf');
  await expect(openOutput(inFile, { planHash: 'a', totalBytes: 1 })).rejects.toMatchObject({
    code: 'not-found',
  });
});

test('a folder of that name is a conflict, one in place of the journal an io error', async () => {
  await mkdir(`${path}.journal`);
  await expect(openOutput(path, { planHash: 'a', totalBytes: 0 })).rejects.toMatchObject({
    name: 'PithError',
    code: 'io',
  });
  await mkdir(path);
  await rm(`${path}.journal`, { recursive: true });
  await expect(openOutput(path, { planHash: 'a', totalBytes: 0 })).rejects.toMatchObject({
    code: 'conflict',
  });
});
