import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'pith-resume-'));
const source = join(folder, 'model.gguf');
const output = join(folder, 'out.gguf');
const seed = 20;

interface Report {
  readonly bytes: number;
  readonly tensors: readonly object[];
  readonly notes: readonly string[];
}

let reference: Report & { hash: string };

/** 92 M weights in 21 tensors, 185 MB: about 2 seconds on one thread. */
beforeAll(async () => {
  execFileSync(process.execPath, [join(root, 'bench/make-model.mjs'), source, '2', '1024']);
  reference = { ...(await quantize(1))!, hash: takeOutput() };
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Runs `pith quantize` and returns its report; with `killAt`, kills it with SIGKILL when the
 * unfinished output has that many bytes, and returns undefined.
 */
async function quantize(threads: number, killAt?: number): Promise<Report | undefined> {
  const pith = [join(root, 'dist/cli/index.js'), 'quantize', source, '--type', 'Q4_K_M'];
  const options = ['-o', output, '--no-verify', '--json', '--threads', String(threads)];
  const child = spawn(process.execPath, [...pith, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<NodeJS.Signals | null>((done) =>
    child.on('exit', (_, signal) => done(signal)),
  );
  const watch = () => {
    const partial = statSync(`${output}.partial`, { throwIfNoEntry: false });
    if (killAt !== undefined && partial && partial.size >= killAt) child.kill('SIGKILL');
  };
  const watching = setInterval(watch, 1);
  const out = await text(child.stdout);
  const signal = await exit;
  clearInterval(watching);
  return signal === null ? (JSON.parse(out) as Report) : undefined;
}

/** sha256 of the output, which is then removed; there must be nothing beside it. */
function takeOutput(): string {
  expect(readdirSync(folder).sort()).toEqual(['model.gguf', 'out.gguf']);
  const hash = createHash('sha256').update(readFileSync(output)).digest('hex');
  rmSync(output);
  return hash;
}

test.each([2, 3])('%i threads write the bytes of one thread', async (threads) => {
  await quantize(threads);
  expect(takeOutput()).toBe(reference.hash);
});

/** Kills a run at a moment; one that ended before the signal came is repeated. */
async function killed(killAt: number): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    if ((await quantize(1, killAt)) === undefined) return;
    takeOutput();
  }
  throw new Error(`Ten runs ended before they were killed at ${killAt} bytes.`);
}

function* randomNumbers(state: number): Generator<number, never> {
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

test(`kill -9 at ten random moments (seed ${seed}): each resumed output is the uninterrupted one's`, async () => {
  const random = randomNumbers(seed);
  const outcomes: string[] = [];
  for (let round = 0; round < 10; round++) {
    const killAt = Math.floor(random.next().value * reference.bytes);
    await killed(killAt);
    expect(readdirSync(folder)).not.toContain('out.gguf');
    const report = (await quantize(1 + (round % 3)))!;
    expect(takeOutput()).toBe(reference.hash);
    expect(report.tensors).toEqual(reference.tensors);
    outcomes.push(`killed at ${killAt} bytes: ${report.notes.at(-1) ?? 'Begun anew.'}`);
  }
  console.info(outcomes.join('\n'));
  const resumed = outcomes.filter((outcome) => outcome.includes('Resumed an interrupted run'));
  // How many depends on the disk: a kill before the first background sync begins anew.
  expect(resumed.length).toBeGreaterThan(0);
});
