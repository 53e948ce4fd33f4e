import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ShrinkOutput } from '../../dist/cli/shrink-output.js';
import { openGguf } from '../../dist/formats/gguf/index.js';
import { openFile } from '../../dist/storage/index.js';
import { pith, pithJson, type Failure } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-shrink-'));
const sizes = join(folder, 'sizes');
/** Three windows of text, one of them held out, and two types: seconds a file. */
const quick = ['--tokens', '1600', '--types', 'Q4_K,Q6_K', '--max-tokens', '300'];
const common = [...quick, '--no-speed', '--cache', join(folder, 'cache')];

let both: ShrinkOutput;

beforeAll(async () => {
  const line = ['shrink', 'sample', '--size', '4.4MB,5.2MB', ...common, '-o', sizes];
  both = (await pithJson<ShrinkOutput>(line)).report;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('one evidence pass serves two sizes, each filled to 1 % and the larger one better', () => {
  const [small, large] = both.files as [ShrinkOutput['files'][0], ShrinkOutput['files'][0]];
  expect(both.steps.filter(({ name }) => name === 'evidence')).toHaveLength(1);
  for (const [file, most] of [
    [small, 4.4e6],
    [large, 5.2e6],
  ] as const) {
    expect(readFileSync(file.output)).toHaveLength(file.bytes);
    expect(file.bytes).toBeLessThanOrEqual(most);
    expect(file.bytes).toBeGreaterThan(0.99 * most);
  }
  const kl = ({ measured }: typeof small) => measured.klDivergence!.mean.value;
  expect(kl(large)).toBeLessThan(0.7 * kl(small));
  const lists = readdirSync(sizes).filter((name) => name.startsWith('tensor-types'));
  expect(lists.sort()).toEqual(['tensor-types-4.4MB.txt', 'tensor-types-5.2MB.txt']);
});

test('a recipe makes the same bytes again, without choosing types', async () => {
  const again = join(folder, 'again');
  const cache = ['--cache', join(folder, 'cache')];
  const recipe = ['shrink', 'sample', '--recipe', both.recipe, '--no-speed', ...cache, '-o', again];
  const { report } = await pithJson<ShrinkOutput>(recipe);
  expect(report.files.map(({ label }) => label)).toEqual(['4.4MB', '5.2MB']);
  for (const [at, { output }] of report.files.entries())
    expect(readFileSync(output).equals(readFileSync(both.files[at]!.output))).toBe(true);
}, 120_000);

test('--keep finds a file whose lower bound is above what was asked, and no trial stays behind', async () => {
  const output = join(folder, 'keep');
  const line = ['shrink', 'sample', '--keep', '88%', ...common, '-o', output];
  const { report } = await pithJson<ShrinkOutput>(line);
  const { keep, measured, bytes } = report;
  expect(keep!.trials.length).toBeGreaterThan(1);
  expect(measured.topTokenAgreement!.low).toBeGreaterThanOrEqual(0.88);
  const enough = keep!.trials.filter(({ kept }) => kept.low >= 0.88).map((trial) => trial.bytes);
  const found = Math.min(...enough);
  // The file is its matrices, norms and the header with the vocabulary.
  expect(bytes).toBeGreaterThan(found);
  expect(bytes).toBeLessThan(found + 400_000);
  expect(readdirSync(output).filter((name) => name.includes('trial'))).toEqual([]);
}, 120_000);

test('a NaN among the weights is named with its tensor, and nothing is written', async () => {
  const bad = join(folder, 'nan.gguf');
  await pith(['quantize', 'sample', '-t', 'F32', '--no-verify', '-o', bad]);
  const file = await openGguf(await openFile(bad));
  const { offset } = file.tensors.get('blk.1.ffn_up.weight')!;
  await file.close();
  const handle = openSync(bad, 'r+');
  writeSync(handle, new Uint8Array(Float32Array.of(Number.NaN).buffer), 0, 4, offset + 400);
  closeSync(handle);
  const output = join(folder, 'nan');
  const { report } = await pithJson<Failure>([
    'shrink',
    bad,
    '--bits',
    '5.5',
    ...common,
    '-o',
    output,
  ]);
  expect(report.error.code).toBe('not-finite');
  expect(report.error.message).toContain('blk.1.ffn_up.weight');
  expect(readdirSync(output).filter((name) => name.endsWith('.gguf'))).toEqual([]);
}, 60_000);
