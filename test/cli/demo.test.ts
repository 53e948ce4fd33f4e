import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pith } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith demo '));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the demo shrinks the sample three ways, each smaller, checked and with a story, and proves it', async () => {
  const { code, stdout, stderr } = await pith(['demo', '--output', folder]);
  expect(code).toBe(0);
  expect(stderr).toContain('7.34 M parameters in 14.7 MB');
  expect(stdout).toMatch(/^original +14,688,768 +16\.00$/m);
  const sizes = ['q8_0', 'q4_k_m', 'q2_k'].map(
    (type) => statSync(join(folder, `sample-${type}.gguf`)).size,
  );
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  expect(stdout).toContain(join(folder, 'report.html'));
  expect(statSync(join(folder, 'report.html')).size).toBeGreaterThan(50_000);
  for (const type of ['Q8_0', 'Q4_K_M', 'Q2_K']) {
    expect(stdout).toMatch(new RegExp(`^${type} .* ok$`, 'm'));
    expect(stdout).toContain(`${type}: Once upon a time there was a little girl`);
  }
  expect(stdout.split('\n').filter((line) => line.length > 96 && !line.includes(folder))).toEqual(
    [],
  );
}, 300_000);
