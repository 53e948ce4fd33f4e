import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pith } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith demo '));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const number = (text: string | undefined) => Number(text!.replaceAll(',', ''));

test('the demo shrinks the sample to less than llama.cpp’s Q3_K_S with less KL, and tells a story', async () => {
  const { code, stdout, stderr } = await pith(['demo', '--output', folder]);
  expect(stderr).toContain('7.34 M parameters in 14.7 MB');
  expect(code).toBe(0);
  const figures = (row: string) =>
    new RegExp(`^ *${row} +([\\d,]+) .* (\\d\\.\\d+) \\(`, 'm').exec(stdout)!.slice(1);
  const [bytes, divergence] = figures('3.4bit');
  const [presetBytes, presetDivergence] = figures('Q3_K_S of llama.cpp');
  expect(number(bytes)).toBe(statSync(join(folder, 'sample-3.4bit.gguf')).size);
  expect(number(bytes)).toBeLessThan(0.9 * number(presetBytes));
  expect(number(divergence)).toBeLessThan(number(presetDivergence));
  expect(statSync(join(folder, 'report.html')).size).toBeGreaterThan(50_000);
  expect(stdout).toContain('Once upon a time there was a little girl');
  const tooLong = stdout.split('\n').filter((line) => line.length > 130 && !line.includes(folder));
  expect(tooLong).toEqual([]);
}, 300_000);
