import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvidence } from '../../dist/compress/evidence/index.js';
import type { CalibrateReport } from '../../dist/recipes/calibrate/calibrate.js';
import { openFile } from '../../dist/storage/index.js';
import { pith, pithJson } from './pith.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

const folder = mkdtempSync(join(tmpdir(), 'pith-calibrate-'));
const output = join(folder, 'sample.evidence.gguf');
const imatrix = join(folder, 'imatrix.gguf');
const command = ['calibrate', 'sample', '--tokens', '1100', '--threads', '2'];
let report: CalibrateReport;

beforeAll(async () => {
  ({ report } = await pithJson<CalibrateReport>([...command, '-o', output, '--imatrix', imatrix]));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function evidence(path: string) {
  const source = await openFile(path);
  try {
    return await readEvidence(source);
  } finally {
    await source.close();
  }
}

test('1100 tokens are two windows of 512; all 57 matrices have inputs and gradients', async () => {
  expect(report).toMatchObject({ tokens: 1024, windowTokens: 512, tensors: 57, gradients: true });
  const { tensors, embedding, source } = await evidence(output);
  for (const { inputs, outputs } of tensors.values()) {
    expect([...inputs.counts]).toEqual([1024]);
    expect(inputs.sums.every((sum) => sum > 0)).toBe(true);
    expect(outputs!.sums.every((sum) => sum > 0)).toBe(true);
  }
  expect(embedding!.rows.reduce((sum, count) => sum + count, 0)).toBe(1024);
  expect(source).toMatchObject({ model: 'sample', datasets: report.data });
  expect(source.modelHash).toMatch(/^[0-9a-f]{64}$/);
});

test('a model without a chat template says so, and that its text comes from the box', () => {
  expect(report.notes[0]).toContain('no chat template');
  expect(report.data).toContain('pith/dialogues.jsonl');
});

test('both files serve pith quantize as an importance matrix', async () => {
  for (const path of [output, imatrix]) {
    const out = join(folder, 'q2.gguf');
    const args = ['quantize', 'sample', '--type', 'Q2_K', '--imatrix', path, '-o', out];
    const { code, report } = await pithJson<{ relativeError: number }>([
      ...args,
      '--no-verify',
      '--force',
    ]);
    expect(code).toBe(0);
    expect(report.relativeError).toBeGreaterThan(0);
  }
}, 60_000);

test('the same command writes the same bytes; an output that exists is not replaced', async () => {
  const again = join(folder, 'again.gguf');
  await pithJson([...command, '-o', again]);
  expect(readFileSync(again).equals(readFileSync(output))).toBe(true);
  const { code, report } = await pithJson<Failure>([...command, '-o', again]);
  expect(code).toBe(1);
  expect(report.error.code).toBe('conflict');
}, 120_000);

test('text shorter than a window is refused with both numbers, and leaves nothing', async () => {
  const data = join(folder, 'short.txt');
  writeFileSync(data, 'Once upon a time.');
  const before = readdirSync(folder);
  const args = ['calibrate', 'sample', '--data', data, '-o', join(folder, 'short.gguf')];
  const { code, report } = await pithJson<Failure>(args);
  expect(code).toBe(1);
  expect(report.error.message).toMatch(
    /There are \d+ tokens to calibrate on, fewer than one window of 512/,
  );
  expect(readdirSync(folder)).toEqual(before);
});

test('a model that is not there is refused', async () => {
  const { code, stderr } = await pith(['calibrate', 'nowhere', '-o', join(folder, 'x.gguf')]);
  expect(code).toBe(1);
  expect(stderr).toContain('There is no model at nowhere');
});
