import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchReport } from '../../dist/recipes/bench/bench.js';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();
const quick = ['--tokens', '16', '--repeats', '2', '--threads', '1', '--gpu', 'off'];

test('figures are ordered, the ceiling follows from bandwidth and bytes, energy from the factors', async () => {
  const factors = join(sample.folder(), 'mine.yaml');
  await writeFile(factors, 'gramsCo2ePerKwh: 100\nprocessorWatts: 60\n');
  const { code, report } = await pithJson<BenchReport>([
    'bench',
    sample.path(),
    '--prompts',
    '64,16',
    '--factors',
    factors,
    ...quick,
  ]);
  expect(code).toBe(0);
  expect(report).toMatchObject({ threads: 1, device: 'cpu', repeats: 2, promptTokens: 64 });
  expect(report.prefill.map(({ tokens }) => tokens)).toEqual([16, 64]);
  expect(report.decode.map(({ contextTokens }) => contextTokens)).toEqual([16, 64]);
  for (const { tokensPerSecond } of [...report.prefill, ...report.decode]) {
    expect(tokensPerSecond.low).toBeGreaterThan(1);
    expect(tokensPerSecond.low).toBeLessThanOrEqual(tokensPerSecond.value);
    expect(tokensPerSecond.value).toBeLessThanOrEqual(tokensPerSecond.high);
  }
  // 8 layers x 2 KV heads x (64 + 64) numbers x 2 bytes, for 64 + 16/2 tokens: 294,912 bytes.
  const traffic = report.bytes + 294_912;
  const ceiling = report.bandwidth.bytesPerSecond / traffic;
  expect(report.bandwidthCeilingTokensPerSecond! / ceiling).toBeCloseTo(1, 9);
  expect(report.factors.processorWatts).toMatchObject({ value: 60, source: factors });
  const { decode } = report.millionTokens;
  expect(decode.gramsCo2e.value / decode.kilowattHours.value).toBeCloseTo(100, 9);
  expect(report.peakMemoryBytes).toBeGreaterThan(report.bytes);
  expect(report.peakMemoryBytes).toBeLessThan(500e6);
});

test('for people: speed, ceiling, energy with its method', async () => {
  const { code, stdout } = await pith(['bench', sample.path(), '--prompts', '32', ...quick]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^prompt +32 /m);
  expect(stdout).toMatch(/^decode after 32 +16 .* % of /m);
  expect(stdout).toMatch(/^energy .*(RAPL|estimate, no meter)/m);
  expect(stdout).toContain('in brackets the least and the most');
});

test.each([
  [['--prompts', '500'], /prompt of 500 and 64 tokens after it do not fit the context of 512/],
  [['--prompts', '12,x'], /--prompts 12,x/],
  [['--factors', 'nowhere.yaml'], /nowhere\.yaml/],
])('%j is refused with the reason', async (args, message) => {
  const { code, stderr } = await pith(['bench', sample.path(), ...args]);
  expect([1, 2]).toContain(code);
  expect(stderr).toMatch(message);
});
