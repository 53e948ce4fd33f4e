import { expect, test } from 'vitest';
import { parseTask } from './definition.ts';
import { questionsOf } from './questions.ts';
import { parseRows } from './rows.ts';
import { choiceTask, rowsFile, sampleTask, textFile } from './sample.cases.ts';
import { loadTask } from './task.ts';

const row = { q: 'Q', a: 'x', b: 'y', gold: 0 };

test.each([
  ['{"a": 1}\n\n{"a": 2}', 'rows.jsonl:2: the line is empty'],
  ['{"a": 1}\n{}', 'rows.jsonl:2: the row is empty'],
  ['{"a": 1}\n[1]', 'rows.jsonl:2: the row is no JSON object'],
  ['{"a": 1}\r\n{"a": 2\r\n', 'rows.jsonl:2: no JSON ('],
  ['\n', 'rows.jsonl has no rows'],
  ['', 'rows.jsonl has no rows'],
])('JSONL %j is refused', (text, message) => {
  expect(() => parseRows(textFile('rows.jsonl', text))).toThrow(message);
});

test.each([
  ['a,b\n1,2\n3\n', 'rows.csv:3: the row has 1 fields, but the head has 2'],
  ['a,b\n"1\n2",2\n3,4,5', 'rows.csv:4: the row has 3 fields'],
  ['a,b\n1,"2\n', 'rows.csv:2: a quote is not closed'],
  ['a,b\n1,2"3\n', 'rows.csv:2: a quote is not closed or stands inside'],
  ['a,a\n1,2', 'rows.csv:1: two columns are called "a"'],
  ['a,b\n', 'rows.csv has no rows'],
])('CSV %j is refused', (text, message) => {
  expect(() => parseRows(textFile('rows.csv', text))).toThrow(message);
});

test('CSV fields keep commas, doubled quotes and line breaks; the column without a name is left out', () => {
  const text = ',a,b\r\n0,"x, ""y""\nz",w\r\n1,,';
  expect(parseRows(textFile('rows.csv', text))).toEqual([
    { values: { a: 'x, "y"\nz', b: 'w' }, where: 'rows.csv:2', file: 'rows.csv' },
    { values: { a: '', b: '' }, where: 'rows.csv:4', file: 'rows.csv' },
  ]);
});

test('Latin-1 in the third line is named by its line, UTF-16 as what it is', () => {
  const lines = new TextEncoder().encode('{"a": "ä"}\n{"a": 1}\n{"a": "?"}\n');
  lines[lines.indexOf(63)] = 0xe4;
  expect(() => parseRows({ name: 'rows.jsonl', bytes: lines })).toThrow(
    'rows.jsonl:3: the line is not UTF-8',
  );
  const wide = Uint8Array.from([0xff, 0xfe, 0x7b, 0]);
  expect(() => parseRows({ name: 'rows.jsonl', bytes: wide })).toThrow('the file is UTF-16');
});

test.each([
  [{ gold: null }, 'rows.jsonl:2: the row has no answer'],
  [{ gold: '' }, 'rows.jsonl:2: the row has no answer'],
  [{ gold: undefined }, 'the row has no "gold"'],
  [{ gold: [] }, 'rows.jsonl:2: the row has no answer'],
  [{ gold: 2 }, 'rows.jsonl:2: the answer is choice 2, but the choices are 0 to 1'],
  [{ gold: -1 }, 'rows.jsonl:2: the answer is choice -1'],
  [{ gold: '7' }, 'rows.jsonl:2: the answer is choice "7"'],
  [{ gold: 'z' }, 'rows.jsonl:2: the answer "z" is none of the 2 choices'],
  [
    { b: undefined },
    'rows.jsonl:2: t.yaml: doc_to_choice: the template "{{[a, b]}}" fails: the row has no "b"',
  ],
  [{ b: 3 }, 'rows.jsonl:2: its choices are no list of texts'],
])('a second row with %j is refused before anything is asked', async (change, message) => {
  const yaml = choiceTask.replace('doc_to_target: gold', 'doc_to_target: "{{gold}}"');
  const task = await sampleTask(yaml, [row, { ...row, ...change }]);
  expect(() => questionsOf(task)).toThrow(message);
});

test('an answer is a choice by its index, as a number or text, or by its text', async () => {
  const golds = [1, '1', 'y', true];
  const task = await sampleTask(
    choiceTask,
    golds.map((gold) => ({ ...row, gold })),
  );
  expect(questionsOf(task).map(({ gold }) => gold)).toEqual(golds.map(() => [1]));
});

test.each([
  [
    'output_type: multiple_choise',
    'output_type: multiple_choice',
    't.yaml:2: output_type "multiple_choise" is unknown (did you mean "multiple_choice"?); known are multiple_choice, loglikelihood, generate_until, retrieval',
  ],
  [
    '{ metric: acc_nrom }',
    '{ metric: acc_norm }',
    't.yaml:6: multiple_choice has no metric "acc_nrom" (did you mean "acc_norm"?)',
  ],
  [
    'doc_to_txt: q',
    'doc_to_text: q',
    't.yaml:3: no field is called "doc_to_txt" (did you mean "doc_to_text"?)',
  ],
  ['task: 7', 'task: pair', 't.yaml:1: "task": '],
  ['', 'doc_to_target: gold\n', 'the field "doc_to_target" is missing'],
  [
    'doc_to_target: !function utils.f',
    'doc_to_target: gold',
    't.yaml:5: a Python function (!function) cannot be carried out',
  ],
  ['process_results: f\ntask: pair', 'task: pair', 't.yaml:1: "process_results" is not supported'],
  ['task: pair\ntask: pear', 'task: pair', 't.yaml:2: Map keys must be unique'],
  ['doc_to_text: [', 'doc_to_text: q', 't.yaml:'],
])('%j instead of %j in a task file is refused', (now, before, message) => {
  const text = choiceTask.replace(before, now);
  expect(() => parseTask(textFile('t.yaml', text))).toThrow(message);
});

test('aliases of aliases and thousands of brackets are refused, not expanded', () => {
  const names = Array.from({ length: 12 }, (_, at) => `a${at}`);
  const list = names.map((name, at) => {
    const items = at === 0 ? '0' : Array.from({ length: 9 }, () => `*${names[at - 1]}`).join(', ');
    return `${name}: &${name} [${items}]`;
  });
  expect(() => parseTask(textFile('t.yaml', list.join('\n')))).toThrow('alias');
  for (const open of ['[', '- ']) {
    expect(() => parseTask(textFile('t.yaml', `a: ${open.repeat(7000)}`))).toThrow('t.yaml');
  }
  expect(() => parseTask(textFile('t.yaml', '#'.repeat(20_000)))).toThrow('20000 bytes');
});

test.each(['../rows.jsonl', '/etc/passwd', 'a/../../b.jsonl', 'C:\\rows.jsonl', 'file:rows'])(
  'a task file cannot name the data %s',
  async (path) => {
    const yaml = `${choiceTask}dataset_kwargs: { data_files: '${path}' }\n`;
    const load = loadTask(textFile('t.yaml', yaml), {
      read: async (asked) => textFile(asked, '{"a": 1}'),
    });
    await expect(load).rejects.toThrow('names data outside of its folder');
  },
);

test('a task without data says how to give them', async () => {
  const load = loadTask(textFile('t.yaml', choiceTask), {
    read: async (path) => textFile(path, ''),
  });
  await expect(load).rejects.toThrow('names no file of rows for its split "test"');
});

test('two examples precede each question with their answers, and are the first of their file', async () => {
  const yaml = `${choiceTask}description: "D\\n"
dataset_kwargs: { data_files: { train: train.jsonl, test: test.jsonl } }
num_fewshot: 2
fewshot_config: { sampler: first_n }
`;
  const task = await loadTask(textFile('t.yaml', yaml), {
    read: async (path) => {
      return rowsFile(
        path,
        ['1', '2', '3'].map((q) => ({ ...row, q: `${path[0]}${q}` })),
      );
    },
  });
  const [first] = questionsOf(task);
  expect(first!.context).toBe('D\nt1 x\n\nt2 x\n\nt1');
  expect(first!.continuations).toEqual([' x', ' y']);
});

function limited(limit?: number) {
  const rows = [1, 2, 3].map((at) => ({ ...row, at }));
  return loadTask(textFile('t.yaml', choiceTask), {
    read: async (path) => textFile(path, ''),
    data: [rowsFile('a.jsonl', rows), rowsFile('b.jsonl', rows)],
    limit,
  });
}

test('a limit of 2 takes the first two of three rows of each file', async () => {
  const { rows, available } = await limited(2);
  const places = ['a.jsonl:1', 'a.jsonl:2', 'b.jsonl:1', 'b.jsonl:2'];
  expect(rows.map(({ where }) => where)).toEqual(places);
  expect(available).toBe(6);
  expect((await limited()).rows).toHaveLength(6);
});

test('templates see the row and nothing of JavaScript', async () => {
  for (const text of ['{{constructor}}', '{{q.constructor}}', '{{q.__proto__}}', '{{range(9)}}']) {
    const task = await sampleTask(choiceTask.replace('doc_to_text: q', `doc_to_text: "${text}"`), [
      row,
    ]);
    expect(() => questionsOf(task)).toThrow('the row has no');
  }
});
