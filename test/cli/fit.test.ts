import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { FitReport } from '../../dist/recipes/fit/fit.js';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();

test('file sizes are those of the written files, memory is what pith inspect says', async () => {
  const { code, report } = await pithJson<FitReport>(['fit', 'sample', '--context', '256,512']);
  expect(code).toBe(0);
  const types = report.types.map(({ type }) => type);
  expect(types).toEqual(['F16', 'Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'IQ4_XS', 'Q3_K_M', 'Q2_K']);
  const q8 = report.types[1]!;
  expect(q8.bytes).toBe((await stat(sample.path())).size);
  const inspected = await pithJson<{ memory: { totalBytes: number } }>([
    'inspect',
    sample.path(),
    '--context',
    '256',
  ]);
  expect(q8.memory.map(({ contextLength }) => contextLength)).toEqual([256, 512]);
  expect(q8.memory[0]!.totalBytes).toBe(inspected.report.memory.totalBytes);
  expect(report.recommended?.command).toBe(
    `pith quantize sample --type ${report.recommended!.type} -o sample-${report.recommended!.type.toLowerCase()}.gguf`,
  );
});

test('tokens/s: 70 % of bandwidth over the weights and 8 x 2 x 128 x 2 bytes of cache a token', async () => {
  const { report } = await pithJson<FitReport>(['fit', sample.path(), '--context', '100']);
  const [own] = report.types;
  expect(own!.type).toBe('as it is');
  const traffic = (own!.bitsPerWeight / 8) * report.parameters + 4096 * 100;
  const expected = (0.7 * report.bandwidth.bytesPerSecond) / traffic;
  expect(Number(own?.predictedTokensPerSecond?.value) / expected).toBeCloseTo(1, 6);
  expect(report.types.slice(1).every(({ bytes }) => bytes < own!.bytes)).toBe(true);
  expect(report.notes.join()).toContain('quantized already');
});

test('a small memory marks what does not fit; too small a one recommends nothing', async () => {
  const small = await pithJson<FitReport>(['fit', 'sample', '--ram', '16.5MB']);
  const fits = small.report.types.map(({ memory }) => memory[0]!.fits);
  expect(fits).toEqual([false, false, false, false, true, true, true, true]);
  expect(small.report.recommended?.type).toBe('Q4_K_M');
  const { code, stdout } = await pith(['fit', 'sample', '--ram', '4MB']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Nothing fits 4\.00 MB at 512 tokens: .* needs 14\.7 MB/m);
});

test('for people: the recommended line is marked and its command follows', async () => {
  const { stdout } = await pith(['fit', 'sample']);
  expect(stdout).toMatch(/^> {2}Q8_0 +7\.95 MB +8\.51 +19\.4 MB fits/m);
  expect(stdout).toContain('tokens/s, predicted');
  expect(stdout).toContain('\n  pith quantize sample --type Q8_0 -o sample-q8_0.gguf\n');
});

test.each([
  [['--context', '4096'], /context of 4096 tokens is longer than the 512/],
  [['--context', '1k'], /--context 1k/],
  [['--ram', 'much'], /"much" is not a size|--ram/],
])('%j is refused with the reason', async (args, message) => {
  const { code, stderr } = await pith(['fit', 'sample', ...args]);
  expect([1, 2]).toContain(code);
  expect(stderr).toMatch(message);
});
