import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { PredictionOutput, ShrinkOutput } from '../../dist/cli/shrink-output.js';
import { openModel } from '../../dist/index.js';
import { command, pithJson, type Failure } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-shrink-'));
const out = join(folder, 'out');
const cache = ['--cache', join(folder, 'cache')];
/** Three windows of text, one of them held out, and three types: seconds. */
const options = ['shrink', 'sample', '--bits', '4.5', '--tokens', '1600', '--types'];
const job = [...options, 'Q3_K,Q4_K,Q6_K', '--max-tokens', '300', '--no-speed', ...cache];
/** 4.5 bits of each of 7,344,384 weights, and the header. */
const tensorBudget = (4.5 * 7_344_384) / 8;

let predicted: PredictionOutput;
let made: ShrinkOutput;
let keptByDryRun: readonly string[];

beforeAll(async () => {
  const dry = await pithJson<PredictionOutput>([...job, '--dry-run', '-o', out]);
  predicted = dry.report;
  keptByDryRun = readdirSync(out).sort();
  made = (await pithJson<ShrinkOutput>([...job, '-o', out])).report;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(out, 'sample-4.5bit.gguf');

test('a dry run tells the exact size and a KL divergence within a factor of 2 of the measured one', () => {
  expect(predicted.bytes).toBe(readFileSync(file).length);
  const measured = made.measured.klDivergence!.mean;
  const ratio = predicted.predicted.klDivergence / measured.value;
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
  expect(made.predicted).toEqual(predicted.predicted);
});

test('the real run takes up the steps of the dry run, and leaves no journal', () => {
  expect(keptByDryRun).toEqual(['evidence.gguf', 'shrink.journal']);
  expect(made.notes).toContain('Continued: 3 steps were done by an earlier run.');
  expect(made.steps.every(({ done }) => done)).toBe(true);
  expect(readdirSync(out).sort()).toEqual([
    'evidence.gguf',
    'kl-histogram.svg',
    'recipe.yaml',
    'report.html',
    'report.json',
    'sample-4.5bit.gguf',
    'size-quality.svg',
    'tensor-types.txt',
    'weight-error-1.svg',
    'weight-error-2.svg',
  ]);
});

test('the tensors take at most 4.5 bits a weight, and less than 1 % under', () => {
  const bytes = (made.bitsPerWeight * 7_344_384) / 8;
  expect(bytes).toBeLessThanOrEqual(tensorBudget);
  expect(bytes).toBeGreaterThan(0.99 * tensorBudget);
});

test('types of file, recipe and llama-quantize’s list are the same', async () => {
  const recipe = parse(readFileSync(join(out, 'recipe.yaml'), 'utf8')) as {
    chosen: Record<string, { types: Record<string, string> }>;
  };
  const chosen = Object.entries(recipe.chosen['4.5bit']!.types);
  expect(chosen).toHaveLength(57);
  const model = await openModel(file);
  for (const [name, type] of chosen) expect(model.tensors.get(name)!.type).toBe(type);
  await model.close();
  const lines = readFileSync(join(out, 'tensor-types.txt'), 'utf8').trimEnd().split('\n');
  expect(lines).toEqual(
    chosen.map(([name, type]) => `^${name.replaceAll('.', '\\.')}$=${type.toLowerCase()}`),
  );
});

test('the mix of nearest size stands beside it, in the report with a curve of all sizes', () => {
  expect(made.reference.type).toBe('Q3_K_L');
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
    candidates: { label: string }[];
    frontier: { bytes: number; klDivergence: number }[];
  };
  expect(report.candidates.map(({ label }) => label)).toEqual(['4.5bit', 'Q3_K_L']);
  const { frontier } = report;
  expect(frontier.length).toBeGreaterThan(50);
  expect(frontier).toEqual(frontier.toSorted((a, b) => a.bytes - b.bytes));
});

test('killed −9 while costs are predicted and when the file is written: the file is the same', async () => {
  const resumed = join(folder, 'resumed');
  await killedAt('"begun":"costs"', resumed);
  await killedAt('"begun":"verify', resumed);
  const written = readFileSync(join(resumed, 'sample-4.5bit.gguf'));
  expect(written.equals(readFileSync(file))).toBe(true);
}, 120_000);

/** Runs the job without the process around it, and kills it when the journal has a text. */
async function killedAt(text: string, output: string): Promise<void> {
  const child = spawn(process.execPath, [command, ...job, '--json', '-o', output], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, PITH_ISOLATED: '1' },
  });
  const journal = join(output, 'shrink.journal');
  const watching = setInterval(() => {
    if (existsSync(journal) && readFileSync(journal, 'utf8').includes(text)) child.kill('SIGKILL');
  }, 5);
  const signal = await new Promise((done) => child.on('exit', (_, by) => done(by)));
  clearInterval(watching);
  expect(signal).toBe('SIGKILL');
}

const recipe = join(folder, 'bad.yaml');
writeFileSync(recipe, 'format: pith-shrink/1\nbudget: { bit: 4 }\n');
const fresh = join(folder, 'fresh');
const sample = join(import.meta.dirname, '../../models/sample');

test.each([
  [['--size', '1MB', '-o', fresh], 'unsupported', /1,000,000 bytes .* below the smallest possible/],
  [['--size', '15MB', '-o', fresh], 'usage', /The original takes 14,\d+,\d+ bytes/],
  [['--bits', '4', '-o', join(sample, 'small')], 'conflict', /in the folder of the model/],
  [['--bits', '4', '-o', out], 'conflict', /holds the results of an earlier run/],
  [['--recipe', recipe, '-o', fresh], 'usage', /no field budget\.bit\. Did you mean bits/],
  [['--keep', '95%', '--dry-run', '-o', fresh], 'usage', /--dry-run writes none/],
  [['--bits', '4', '--eval', 'nothing', '-o', fresh], 'not-found', /no task, called nothing/],
  [['--bits', '4', '--tokens', '600', '-o', fresh], 'unsupported', /has one window of 512/],
] as const)(
  '%j is refused (%s) before anything is measured or written',
  async (args, code, message) => {
    const { report } = await pithJson<Failure>(['shrink', 'sample', ...args]);
    expect(report.error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(existsSync(fresh)).toBe(false);
  },
  30_000,
);
