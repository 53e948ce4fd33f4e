import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { shippedTasks, sortData } from './sort-data.ts';
import { readTasks } from './task-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-task-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function given(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const pair = { sentence_good: 'a b', sentence_bad: 'b a' };
const rows = given('rows.jsonl', `${JSON.stringify(pair)}\n`.repeat(3));

test('the box holds nine tasks, all of which the command names', async () => {
  expect((await shippedTasks()).sort()).toEqual(
    'arc blimp crows_pairs gsm8k hellaswag lambada piqa retrieval sst2'.split(' '),
  );
});

test('names of the box and YAML files are tasks, everything else is text', async () => {
  const data = ['blimp', 'sample', './arc', 'my.yaml', 'story.txt', rows];
  expect(await sortData(data)).toEqual({
    tasks: ['blimp', 'my.yaml'],
    texts: ['sample', './arc', 'story.txt', rows],
  });
});

test.each([
  ['blmip', 'Did you mean blimp?'],
  ['hellaswg', 'Did you mean hellaswag?'],
  ['samlpe', 'Did you mean sample?'],
])('%s is neither a file nor a task', async (name, hint) => {
  await expect(sortData([name])).rejects.toMatchObject({
    code: 'not-found',
    hint: expect.stringContaining(hint),
  });
});

test('a folder gives its .jsonl and .csv files in order of their names, the limit in each', async () => {
  const many = join(folder, 'many');
  mkdirSync(many);
  const names = ['b.jsonl', 'a.csv', 'notes.txt'];
  const csv = 'sentence_good,sentence_bad\nx y,y x\nz,w\n';
  for (const [at, content] of [`${JSON.stringify(pair)}\n`, csv, 'no rows'].entries())
    given(join('many', names[at]!), content);
  const [read] = await readTasks(['blimp'], { taskData: [many], limit: 1 });
  expect(read!.task.rows.map(({ where }) => where)).toEqual([
    `${join(many, 'a.csv')}:2`,
    `${join(many, 'b.jsonl')}:1`,
  ]);
  expect(read!.task.available).toBe(3);
});

test('what else a task of the box names lies beside its rows', async () => {
  given('gsm8k_train.jsonl', '{"question":"1+1?","answer":"#### 2"}\n'.repeat(5));
  const [read] = await readTasks(['gsm8k'], {
    taskData: [given('gsm8k.jsonl', '{"question":"2+2?","answer":"#### 4"}\n')],
  });
  expect([read!.task.rows.length, read!.task.examples.length]).toEqual([1, 5]);
  expect(read!.files.map(({ name }) => basename(name))).toEqual([
    'gsm8k.yaml',
    'gsm8k.jsonl',
    'gsm8k_train.jsonl',
  ]);
});

test.each([
  [['blimp'], [], 'usage', 'The task blimp comes without rows.'],
  [['blimp', 'arc'], [rows], 'usage', 'belong to one task; 2 were given'],
  [[], [rows], 'usage', 'belong to one task; 0 were given'],
  [['retrieval'], [rows], 'not-found', 'names the data file corpus.jsonl, which is not at'],
  [['blimp'], [join(folder, 'absent')], 'not-found', 'absent: it does not exist'],
])('the tasks %j with the data %j are refused: %s', async (names, taskData, code, message) => {
  await expect(readTasks(names, { taskData })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('a folder without rows and two tasks of one name are refused', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  await expect(readTasks(['blimp'], { taskData: [empty] })).rejects.toThrow('no .jsonl or .csv');
  const yaml = `task: mine
output_type: multiple_choice
dataset_path: rows.jsonl
doc_to_choice: "{{[sentence_good, sentence_bad]}}"
doc_to_target: 0
metric_list: [{ metric: acc }]
`;
  const twice = [given('one.yaml', yaml), given('two.yaml', yaml)];
  await expect(readTasks(twice)).rejects.toThrow('Two of the tasks are called mine.');
});
