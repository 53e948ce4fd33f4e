import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'pith-interrupted-'));
const source = join(folder, 'model.gguf');
const output = join(folder, 'out.gguf');

/** 48 M weights, 97 MB: a second or two on one thread. */
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'bench/make-model.mjs'), source, '1', '1024']);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly notes?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** Runs `pith quantize`; `meddle` is called once, when a fifth of the output is written. */
async function quantize(meddle?: (kill: () => void) => void) {
  const line = ['quantize', source, '-t', 'Q4_K_M', '-o', output, '--no-verify', '--json'];
  const pith = join(root, 'dist/cli/index.js');
  const child = spawn(process.execPath, [pith, ...line, '--threads', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<number | null>((done) => child.once('close', done));
  const watching = setInterval(() => {
    const partial = statSync(`${output}.partial`, { throwIfNoEntry: false });
    if (!partial || partial.size < statSync(source).size / 20) return;
    clearInterval(watching);
    meddle?.(() => child.kill('SIGINT'));
  }, 1);
  const report = JSON.parse(await text(child.stdout)) as Report;
  clearInterval(watching);
  return { report, code: await exit };
}

function takeOutput(): string {
  expect(readdirSync(folder).sort()).toEqual(['model.gguf', 'out.gguf']);
  const hash = createHash('sha256').update(readFileSync(output)).digest('hex');
  rmSync(output);
  return hash;
}

/** Sets one byte in the middle of the source to another value; twice restores it. */
function changeSource(): void {
  const bytes = readFileSync(source);
  const at = Math.floor(bytes.length * 0.3) | 1;
  const file = openSync(source, 'r+');
  writeSync(file, Uint8Array.of(bytes[at]! ^ 0x80), 0, 1, at);
  closeSync(file);
}

test('Ctrl-C keeps what is written and says how to go on; the same command ends with the same bytes', async () => {
  await quantize();
  const whole = takeOutput();
  const stopped = await quantize((kill) => kill());
  expect(stopped.code).toBe(130);
  expect(stopped.report.error).toMatchObject({
    code: 'cancelled',
    message: expect.stringContaining('what is written is kept'),
    hint: expect.stringContaining('same command again'),
  });
  expect(readdirSync(folder).sort()).toEqual([
    'model.gguf',
    'out.gguf.journal',
    'out.gguf.partial',
  ]);
  const { report } = await quantize();
  expect(report.notes).toContainEqual(expect.stringMatching(/^Resumed an interrupted run at \d+/));
  expect(takeOutput()).toBe(whole);
});

test('a source that changed after the interruption is begun anew, not continued', async () => {
  await quantize((kill) => kill());
  changeSource();
  const { report } = await quantize();
  expect(report.notes).toContainEqual(expect.stringContaining('thrown away'));
  const afterStop = takeOutput();
  await quantize();
  expect(takeOutput()).toBe(afterStop);
});

test('a source that changes meanwhile leaves no output', async () => {
  const { report, code } = await quantize(changeSource);
  expect(code).toBe(1);
  expect(report.error).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('was changed while it was read'),
  });
  expect(readdirSync(folder)).toEqual(['model.gguf']);
});
