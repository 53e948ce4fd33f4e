import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseReportData } from '../../src/evaluate/report/report-data.ts';
import { exampleReport } from '../../src/evaluate/report/example.cases.ts';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();

test('a card of the sample in Q8_0: every part is measured, and its data renders the same card', async () => {
  const folder = join(sample.folder(), 'card');
  const quality = ['--against', 'sample', '--data', 'sample', '--max-tokens', '300'];
  const text = ['-p', 'Once upon a time', '-n', '8'];
  const places = ['--cache', join(sample.folder(), 'scores'), '-o', folder];
  const measured = await pith(['report', sample.path(), ...quality, ...text, ...places]);
  expect(measured).toMatchObject({ code: 0 });
  expect(measured.stdout).toContain(join(folder, 'report.html'));
  expect((await readdir(folder)).sort()).toEqual([
    'energy.svg',
    'kl-histogram.svg',
    'report.html',
    'report.json',
    'size-quality.svg',
    'speed.svg',
    'weight-error-1.svg',
  ]);
  const json = join(folder, 'report.json');
  const data = parseReportData(JSON.parse(await readFile(json, 'utf8')), json);
  const [candidate] = data.candidates;
  expect(candidate!.label).toBe('sample-q8_0');
  expect(candidate!.klDivergence!.mean.value).toBeLessThan(0.001);
  expect(candidate!.topTokenAgreement!.value).toBeGreaterThan(0.9);
  expect(candidate!.weights!.relativeError).toBeCloseTo(0.0057, 4);
  expect([data.base.continuation, candidate!.continuation].map((tokens) => tokens!.length)).toEqual(
    [8, 8],
  );
  expect(candidate!.speed!.peakMemoryBytes).toBeGreaterThan(candidate!.bytes);
  const again = join(sample.folder(), 'again');
  expect(await pith(['report', json, '-o', again])).toMatchObject({ code: 0 });
  for (const name of ['report.html', 'report.json', 'speed.svg']) {
    expect(await readFile(join(again, name), 'utf8')).toBe(
      await readFile(join(folder, name), 'utf8'),
    );
  }
});

test('without a base, and of data that is no report: the next step is named', async () => {
  const folder = sample.folder();
  const alone = await pithJson(['report', sample.path(), '-o', folder]);
  expect(alone.code).toBe(2);
  expect(alone.report).toMatchObject({
    error: { code: 'usage', hint: 'Add --against MODEL: a folder, a .gguf file, or sample.' },
  });
  const broken = join(folder, 'broken.json');
  await writeFile(broken, JSON.stringify({ ...exampleReport, candidates: [] }));
  const { code, stderr } = await pith(['report', broken, '-o', folder]);
  expect(code).toBe(1);
  expect(stderr).toContain('field candidates');
});
