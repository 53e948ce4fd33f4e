import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const chunks = 130;
const chunkBytes = 20_000;
const built = resolve(import.meta.dirname, '../../dist/storage/output-file.js');

/**
 * Writes the chunks that are missing, tells of each, and lets every checkpoint reach the disk. Waits
 * to be killed after `most` chunks, so that a slow killer does not meet a finished file.
 */
const writer = `
  import { openOutput } from ${JSON.stringify(pathToFileURL(built).href)};
  let clock = 0;
  Date.now = () => (clock += 10_000);
  const plan = { planHash: 'plan', totalBytes: ${chunks * chunkBytes} };
  const [path, most] = process.argv.slice(1);
  const out = await openOutput(path, plan);
  const first = out.resumeOffset / ${chunkBytes};
  console.log('resumed at', out.resumeOffset);
  for (let i = first; i < ${chunks}; i++) {
    while (i - first === Number(most)) await new Promise((wake) => setTimeout(wake, 1000));
    await out.write(new Uint8Array(${chunkBytes}).fill(i * 37 + 1));
    await out.checkpoint('chunk ' + i);
    console.log('chunk', i);
  }
  await out.finish();
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-kill-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the writer, killing it after `lines` lines of output; returns where it had resumed. */
async function run(path: string, lines: number): Promise<number> {
  const most = lines === Infinity ? chunks : 12;
  const args = ['--input-type=module', '-e', writer, path, String(most)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((done) => child.on('exit', done));
  let resumedAt = NaN;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('resumed at')) resumedAt = Number(line.split(' ')[2]);
    if (++seen === lines) child.kill('SIGKILL');
  }
  await exited;
  return resumedAt;
}

test('kill -9 at ten moments, then a last run: the bytes of an uninterrupted write', async () => {
  const path = join(folder, 'model.gguf');
  const resumed: number[] = [];
  for (const lines of [1, 2, 7, 3, 10, 5, 2, 11, 8, 4]) resumed.push(await run(path, lines));
  expect(await readdir(folder)).not.toContain('model.gguf');
  resumed.push(await run(path, Infinity));
  expect(await readdir(folder)).toEqual(['model.gguf']);
  const bytes = await readFile(path);
  expect(bytes.length).toBe(chunks * chunkBytes);
  for (let i = 0; i < chunks; i++) {
    const chunk = bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes);
    expect(chunk.every((byte) => byte === (i * 37 + 1) % 256)).toBe(true);
  }
  expect(resumed).toEqual(resumed.toSorted((a, b) => a - b));
  expect(resumed.at(-1)! / chunkBytes).toBeGreaterThanOrEqual(43);
});
