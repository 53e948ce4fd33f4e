import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseReportData } from '../../src/evaluate/report/report-data.ts';
import { exampleReport } from '../../src/evaluate/report/example.cases.ts';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();

const taskFile = resolve(import.meta.dirname, '../../tasks/crows_pairs.yaml');

/** Four harmless rows for the box's task crows_pairs. */
async function pairsFile(): Promise<string> {
  const path = join(sample.folder(), 'pairs.csv');
  const pairs = ['king,queen', 'old man,old woman', 'boy,girl', 'prince,princess'];
  const rows = pairs.map((pair) => `The ${pair.replace(',', ' slept.,The ')} slept.`);
  await writeFile(path, `sent_more,sent_less\n${rows.join('\n')}\n`);
  return path;
}

test('a card of the sample in Q8_0: every part is measured, and its data renders the same card', async () => {
  const folder = join(sample.folder(), 'card');
  const rows = await pairsFile();
  const task = ['--data', 'crows_pairs', '--task-data', rows];
  const data = ['--data', 'sample', '--max-tokens', '300', ...task];
  const text = ['-p', 'Once upon a time', '-n', '8'];
  const places = ['--cache', join(sample.folder(), 'scores'), '-o', folder];
  const measured = await pith([
    'report',
    sample.path(),
    '--against',
    'sample',
    ...data,
    ...text,
    ...places,
  ]);
  expect(measured).toMatchObject({ code: 0 });
  expect(measured.stdout).toContain(join(folder, 'report.html'));
  expect((await readdir(folder)).sort()).toEqual([
    'bias.svg',
    'energy.svg',
    'kl-histogram.svg',
    'report.html',
    'report.json',
    'size-quality.svg',
    'speed.svg',
    'weight-error-1.svg',
  ]);
  const json = join(folder, 'report.json');
  const report = parseReportData(JSON.parse(await readFile(json, 'utf8')), json);
  const asked = createHash('sha256').update(await readFile(taskFile));
  asked.update(await readFile(rows));
  expect(report.data[1]).toEqual({
    name: 'crows_pairs',
    kind: 'task',
    sha256: asked.digest('hex'),
  });
  const [candidate] = report.candidates;
  expect(candidate!.label).toBe('sample-q8_0');
  expect(candidate!.klDivergence!.mean.value).toBeLessThan(0.001);
  expect(candidate!.topTokenAgreement!.value).toBeGreaterThan(0.9);
  expect(candidate!.weights!.relativeError).toBeCloseTo(0.0057, 4);
  expect(
    [report.base.continuation, candidate!.continuation].map((tokens) => tokens!.length),
  ).toEqual([8, 8]);
  expect(candidate!.speed!.peakMemoryBytes).toBeGreaterThan(candidate!.bytes);
  expect([report.base.bias!.pairs, candidate!.bias!.pairs]).toEqual([4, 4]);
  expect(candidate!.bias!.difference).toBeDefined();
  const again = join(sample.folder(), 'again');
  expect(await pith(['report', json, '-o', again])).toMatchObject({ code: 0 });
  for (const name of ['report.html', 'report.json', 'speed.svg']) {
    expect(await readFile(join(again, name), 'utf8')).toBe(
      await readFile(join(folder, name), 'utf8'),
    );
  }
});

test.each([
  ['a version that is not there', ['absent.gguf', '--against', 'sample'], 'not-found'],
  ['a text that is not there', ['@', '--against', 'sample', '--data', 'absent.txt'], 'not-found'],
  ['a task without rows', ['@', '--against', 'sample', '--data', 'arc'], 'usage'],
  ['an option without effect', ['@', '--against', 'sample', '--limit', '3'], 'usage'],
  ['a file as the folder', ['@', '--against', 'sample', '-o', '@'], 'io'],
  ['a report with an option of measuring', ['card/report.json', '--limit', '3'], 'usage'],
])('%s is refused before anything is measured', async (_, args, code) => {
  const line = args.map((word) => (word === '@' ? sample.path() : word));
  const output = line.includes('-o') ? [] : ['-o', join(sample.folder(), 'refused')];
  // Measuring needs a folder for temporary files first.
  const env = { TMPDIR: join(sample.folder(), 'absent') };
  const { report } = await pithJson(['report', ...line, ...output], { env });
  expect(report).toMatchObject({ error: { code, hint: expect.any(String) } });
  expect(await readdir(join(sample.folder(), 'refused')).catch(() => [])).toEqual([]);
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
