import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TasksReport } from '../../src/recipes/evaluate/tasks.ts';
import { writeEncoderFolder } from '../model/encoder-folders.ts';
import { interrupt } from './interrupt.ts';
import { pith, pithJson } from './pith.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-tasks-'));
const cache = join(folder, 'cache');
const small = join(folder, 'sample-q2_k.gguf');

function given(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const jsonLines = (rows: readonly object[]) =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** A sentence, and the same words in an order that is none. */
const pairs = [
  ['The king was very old.', 'The old was very king.'],
  ['She went to the house.', 'She house to the went.'],
  ['A bird sat in a tree.', 'A in bird tree sat a.'],
  ['They had a little boat.', 'They boat little a had.'],
].map(([sentence_good, sentence_bad]) => ({ sentence_good, sentence_bad }));
const easy = given('easy.jsonl', jsonLines(pairs));
const odd = given(
  'odd.jsonl',
  jsonLines(
    pairs.slice(0, 2).map((pair) => ({
      sentence_good: pair.sentence_bad,
      sentence_bad: pair.sentence_good,
    })),
  ),
);

beforeAll(async () => {
  const { code, stderr } = await pith([
    'quantize',
    'sample',
    '-t',
    'Q2_K',
    '--no-verify',
    '-o',
    small,
  ]);
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function evaluate(line: readonly string[]): Promise<TasksReport> {
  const given = ['evaluate', ...line, '--cache', cache, '--threads', '1'];
  const { report, stderr } = await pithJson<TasksReport>(given);
  if (!report.tasks) throw new Error(`${JSON.stringify(report)}\n${stderr}`);
  return report;
}

const blimp = ['--data', 'blimp', '--task-data', easy, '--task-data', odd];

describe('sentences of the box’s task blimp, in order and in disorder', () => {
  let report: TasksReport;

  test('both engines find all of one file and none of the other, where right is called wrong', async () => {
    report = await evaluate([small, '--against', 'sample', ...blimp, '--engine', 'both']);
    const { rows, files, engines, chance } = report.tasks['blimp']!;
    expect([rows, chance]).toEqual([6, 0.5]);
    expect(Object.values(files!).map((part) => [part.rows, part.score.value])).toEqual([
      [4, 1],
      [2, 0],
    ]);
    expect(engines!.map(({ engine, score }) => [engine, score.value])).toEqual([
      ['onnx', expect.closeTo(4 / 6, 12)],
      ['llama', expect.closeTo(4 / 6, 12)],
    ]);
  });

  test('nothing tells the engines apart, nor the candidate from its base, of which all is left', () => {
    const { disagreement, difference, retention } = report.tasks['blimp']!;
    const nothing = { value: 0, low: 0, high: 0, distinguishable: false };
    expect(disagreement).toEqual({ 'acc,none': nothing });
    expect(difference).toEqual(nothing);
    expect(retention!.value).toBeCloseTo(1, 12);
  });

  test("the base's answers are kept, one file an engine; the candidate's are not", async () => {
    expect(readdirSync(cache).map((name) => name.split('-')[0])).toEqual(['base', 'base']);
    const again = await evaluate([small, '--against', 'sample', ...blimp]);
    expect(again.notes.join()).toContain('Answers of blimp, sample (onnx) are those kept in');
    expect(again.tasks['blimp']!.metrics).toEqual(report.tasks['blimp']!.engines![0]!.metrics);
  });

  test('the table says what a figure is compared with, and each file', async () => {
    const line = ['evaluate', small, '--against', 'sample', ...blimp, '--limit', '1'];
    const { stdout, stderr } = await pith([...line, '--cache', cache, '--threads', '1']);
    expect(stdout).toMatch(/^blimp, 2 rows\nacc,none +0\.5000 +\[.*by guessing 0\.5000\n/);
    expect(stdout).toMatch(/ {2}difference +0 +\[0, 0\] +not distinguishable from zero\n/);
    expect(stdout).toMatch(/\neasy +1\.000 +\[.*1 rows, base 1\.000, difference 0, not disting/);
    expect(stderr).toContain('blimp: Only 2 of 6 rows were asked: the first of each file.');
  });
});

describe('an interrupted task', () => {
  const many = given(
    'many.jsonl',
    jsonLines(
      Array.from({ length: 120 }, (_, at) => {
        const { sentence_good, sentence_bad } = pairs[at % 4]!;
        return { sentence_good: `${at}. ${sentence_good}`, sentence_bad: `${at}. ${sentence_bad}` };
      }),
    ),
  );
  const place = join(folder, 'interrupted');
  const line = ['evaluate', small, '--data', 'blimp', '--task-data', many];

  function answers(): number {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const found = names.filter(
      (name) => name.startsWith('interrupted') && name.endsWith('.answers'),
    );
    const lines = found.map((name) => readFileSync(join(folder, name), 'utf8').split('\n').length);
    return Math.max(0, ...lines) - 2;
  }

  /** What an uninterrupted run finds, by engine. */
  const whole = new Map<string, TasksReport>();

  test.each([
    ['onnx', 'SIGKILL'],
    ['onnx', 'SIGINT'],
    ['llama', 'SIGKILL'],
  ] as const)('%s after %s continues and ends with the same figures', async (engine, signal) => {
    const given = [...line, '--engine', engine, '--threads', '1', '--cache', place];
    await interrupt([...given, '--json'], {
      signal,
      isReady: () => answers() >= 8,
      isInTime: () => answers() >= 8 && answers() < 120,
      reset: () => rmSync(place, { recursive: true, force: true }),
    });
    const { report } = await pithJson<TasksReport>(given);
    const expected = whole.get(engine) ?? (await evaluate([...line.slice(1), '--engine', engine]));
    whole.set(engine, expected);
    expect(report.notes.join('\n')).toMatch(/Continued an interrupted run of blimp, .* of 120/);
    expect(report.tasks).toEqual(expected.tasks);
    expect(answers()).toBeLessThan(0);
  });
});

test('generation is written by llama.cpp, one prompt after the other', async () => {
  given('train.jsonl', jsonLines([{ q: 'one', a: '#### 1' }]));
  given(
    'test.jsonl',
    jsonLines(['two', 'three', 'four', 'five', 'six'].map((q) => ({ q, a: '#### 9' }))),
  );
  const yaml = given(
    'count.yaml',
    `task: count
dataset_kwargs: { data_files: { train: train.jsonl, test: test.jsonl } }
fewshot_split: train
num_fewshot: 1
fewshot_config: { sampler: first_n }
output_type: generate_until
doc_to_text: "{{q}}:"
doc_to_target: '{{a}}'
generation_kwargs: { until: ["\\n\\n"], max_gen_toks: 4 }
metric_list: [{ metric: exact_match }]
`,
  );
  const { tasks } = await evaluate([small, '--data', yaml, '--engine', 'llama']);
  expect([tasks['count']!.rows, tasks['count']!.score.value]).toEqual([5, 0]);
  for (const engine of ['onnx', 'both']) {
    const line = ['evaluate', small, '--data', yaml, '--engine', engine];
    const { report } = await pithJson<{ error: object }>(line);
    expect(report.error).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('count wants text written'),
      hint: 'Use llama.cpp: --engine llama',
    });
  }
});

test('retrieval by an encoder: every text finds itself first, in ONNX Runtime and in llama.cpp', async () => {
  const encoder = join(folder, 'encoder');
  writeEncoderFolder(encoder, 'bert, mean pooling, as MiniLM');
  const texts = ['Hello world', 'The lamp went by', 'a bridge of 45 m', 'wind'];
  given('corpus.jsonl', jsonLines(texts.map((text, at) => ({ _id: `${at}`, title: '', text }))));
  const queries = given(
    'queries.jsonl',
    jsonLines(texts.map((text, at) => ({ text, relevant: [`${at}`] }))),
  );
  const line = [encoder, '--data', 'retrieval', '--task-data', queries, '--engine', 'both'];
  const { tasks } = await evaluate(line);
  expect(tasks['retrieval']!.engines!.map(({ score }) => score.value)).toEqual([1, 1]);
  const { report } = await pithJson<{ error: { code: string } }>([
    'evaluate',
    small,
    ...line.slice(1),
    '--cache',
    cache,
  ]);
  expect(report.error.code).toBe('unsupported');
});

const good = '{"sentence_good":"a","sentence_bad":"b"}\n';
test.concurrent.each([
  [
    'a row without an answer',
    `${good}{"sentence_good":"a"}\n`,
    'corrupt',
    /rows\.jsonl:2: .*no "sentence_bad"/,
  ],
  ['an empty file', '', 'corrupt', /rows\.jsonl has no rows/],
  ['a line that is no JSON', `${good}{"sentence_good"\n`, 'corrupt', /rows\.jsonl:2: no JSON/],
  [
    'Latin-1',
    Buffer.from(`${good}{"sentence_good":"caf\u00e9"}\n`, 'latin1'),
    'corrupt',
    /rows\.jsonl:2: the line is not UTF-8/,
  ],
])('%s is refused before a model is opened', async (_, content, code, message) => {
  const path = join(mkdtempSync(join(folder, 'rows-')), 'rows.jsonl');
  writeFileSync(path, content);
  const line = ['evaluate', 'sample', '--data', 'blimp', '--task-data', path];
  const { report } = await pithJson<{ error: { code: string; message: string } }>(line);
  expect(report.error).toMatchObject({ code, message: expect.stringMatching(message) });
});

const unknown = given(
  'unknown.yaml',
  readFileSync('tasks/blimp.yaml', 'utf8').replace('multiple_choice', 'multiple_choise'),
);
const alone = given('alone.yaml', readFileSync('tasks/blimp.yaml', 'utf8'));
test.concurrent.each([
  [
    [unknown],
    'corrupt',
    /unknown\.yaml:\d+: output_type "multiple_choise" is unknown \(did you mean "multiple_choice"/,
  ],
  [[alone], 'not-found', /alone\.yaml names the data file blimp\.jsonl, which is not at/],
  [['blimp', '--task-data', join(folder, 'absent.jsonl')], 'not-found', /absent\.jsonl/],
  [['blmip'], 'not-found', /There is no file, and no task, called blmip/],
  [['sample', '--limit', '3'], 'usage', /--limit is for tasks/],
])('--data %j is refused', async (data, code, message) => {
  const { report } = await pithJson<{ error: { code: string; message: string } }>([
    'evaluate',
    'sample',
    '--data',
    ...data,
  ]);
  expect(report.error).toMatchObject({ code, message: expect.stringMatching(message) });
});
