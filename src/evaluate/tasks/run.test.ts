import { expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import type { Answer } from './ask.ts';
import { resultsByFile } from './by-file.ts';
import { compareTasks } from './compare.ts';
import { encodePair } from './likelihood.ts';
import { chanceLevel, measureFigure, standardError } from './measure.ts';
import type { TaskModel } from './model.ts';
import { retention } from './retention.ts';
import { runTask, type TaskResult } from './run.ts';
import { choiceTask, letterModel, rowsFile, sampleTask, textFile } from './sample.cases.ts';
import { loadTask } from './task.ts';

const figure = (result: TaskResult, key: string) => {
  return measureFigure(result.measures.find((measure) => measure.key === key)!);
};

/** Likes `x` four times as much as anything else. */
const likesX = letterModel((_, letter) => (letter === 'x' ? 0.4 : 0.1));

const rows = [
  { q: 'Q', a: 'x', b: 'y', gold: 0 },
  { q: 'Q', a: 'y', b: 'x', gold: 1 },
  { q: 'Q', a: 'y', b: 'x', gold: 0 },
  { q: 'Q', a: 'yy', b: 'y', gold: 0 },
];

test('a model that likes x is right in two of four rows, and over letters in three', async () => {
  // Last row: " yy" 0.001 is less likely than " y" 0.01, but ln 0.001 / 2 is more than ln 0.01 / 1.
  const result = await runTask(await sampleTask(choiceTask, rows), likesX);
  const keys = ['acc,none', 'acc_norm,none', 'mcc,none', 'f1,none'];
  expect(result.measures.map(({ key }) => key)).toEqual(keys);
  const [acc, norm] = result.measures;
  expect(acc).toMatchObject({ scores: [1, 1, 0, 0] });
  expect(norm).toMatchObject({ scores: [1, 1, 0, 1] });
  expect(chanceLevel(acc!)).toBe(0.5);
  // Sample deviation 0.5 over √4.
  expect(standardError(norm!)).toBeCloseTo(0.25, 12);
  // Gold classes 0 1 0 0, predicted 0 1 1 1: of class 1 one is right, two are wrong, none is missed.
  expect(figure(result, 'f1,none').value).toBeCloseTo(2 / 4, 12);
  expect(figure(result, 'mcc,none').value).toBeCloseTo(1 / 3, 12);
});

test('a model against itself: no difference; retention unbounded where it cannot be told from chance', async () => {
  const result = await runTask(await sampleTask(choiceTask, rows), likesX);
  const compared = compareTasks(result, result);
  for (const { difference } of compared) {
    expect(difference).toMatchObject({ value: 0, low: 0, high: 0, distinguishable: false });
  }
  // 0.75 − 0.5 of four rows.
  expect(compared[1]!.retention).toEqual({ value: 1, low: -Infinity, high: Infinity });
});

test('the models of a comparison must have answered the same questions', async () => {
  const base = await runTask(await sampleTask(choiceTask, rows), likesX);
  const fewer = await runTask(await sampleTask(choiceTask, rows.slice(1)), likesX);
  const other = await runTask(
    await sampleTask(choiceTask, [...rows.slice(0, 3), rows[0]!]),
    likesX,
  );
  expect(() => compareTasks(fewer, base)).toThrow('they answered 3 and 4 rows');
  expect(() => compareTasks(other, base)).toThrow('row 4 differs (rows.jsonl:4)');
});

/** Right in rows whose question starts with a number below `limit`. */
function rightBelow(limit: number): TaskModel {
  return letterModel((before, letter) => {
    return letter === (Number(before.split('Q')[0]) < limit ? 'x' : 'y') ? 0.4 : 0.1;
  });
}

test('80 rows against 60 of 100: −0.2, distinguishable, retention 1/3', async () => {
  const many = Array.from({ length: 100 }, (_, at) => {
    return { q: `${at}Q`, a: 'x', b: 'y', gold: 0 };
  });
  const task = await sampleTask(choiceTask, many);
  const [base, candidate] = [
    await runTask(task, rightBelow(80)),
    await runTask(task, rightBelow(60)),
  ];
  const acc = compareTasks(candidate, base)[0]!;
  expect(acc.difference).toMatchObject({ value: expect.closeTo(-0.2, 12), distinguishable: true });
  expect(acc.retention!.value).toBeCloseTo(1 / 3, 12);
  expect(acc.retention!.low).toBeGreaterThan(0);
  expect(acc.retention!.high).toBeLessThan(2 / 3);
  const one = expect.closeTo(1, 12);
  expect(compareTasks(base, base)[0]!.retention).toEqual({ value: one, low: one, high: one });
});

test("Fieller's interval covers a retention of 0.8 in 95 ± 2 % of 2000 samples of 100 rows", () => {
  const random = seededRandom(7);
  let covered = 0;
  for (let sample = 0; sample < 2000; sample++) {
    const base = Array.from({ length: 100 }, () => 0.3 + 0.5 * random.normal());
    const candidate = base.map((score) => 0.8 * score + 0.3 * random.normal());
    const { low, high } = retention(candidate, base);
    if (low <= 0.8 && 0.8 <= high) covered++;
  }
  expect(covered / 2000).toBeGreaterThan(0.93);
  expect(covered / 2000).toBeLessThan(0.97);
});

test('a uniform model of 128 letters has perplexity 128³ on three-letter words', async () => {
  const yaml = `task: cloze
output_type: loglikelihood
doc_to_text: "{{text.split(' ')[:-1]|join(' ')}}"
doc_to_target: "{{' '+text.split(' ')[-1]}}"
metric_list: [{ metric: perplexity }, { metric: acc }]
`;
  const task = await sampleTask(yaml, [{ text: 'to be' }, { text: 'or no' }]);
  const result = await runTask(
    task,
    letterModel(() => 1 / 128),
  );
  expect(figure(result, 'perplexity,none').value / 128 ** 3).toBeCloseTo(1, 5);
  // Every letter is likeliest at once; the first of them is not the word's.
  expect(figure(result, 'acc,none').value).toBe(0);
  const [sample] = result.samples;
  expect(sample).toMatchObject({ context: 'to', continuations: [' be'] });
});

test('choices of one letter are read from one pass, with the likelihoods of separate ones', async () => {
  let passes = 0;
  const model = letterModel((before, letter) => (letter.codePointAt(0)! + before.length) / 200);
  const scorer = model.scorer!;
  const counted: TaskModel = {
    ...model,
    scorer: { ...scorer, score: (...given) => (passes++, scorer.score(...given)) },
  };
  const one = choiceTask.replace('doc_to_target', 'target_delimiter: ""\ndoc_to_target');
  const result = await runTask(
    await sampleTask(one, [{ q: 'Q', a: 'x', b: 'y', gold: 1 }]),
    counted,
  );
  expect(passes).toBe(1);
  const { answer } = result.samples[0]!;
  expect(answer).toMatchObject({
    answers: [
      { logLikelihood: expect.closeTo(Math.log(121 / 200), 6) },
      { logLikelihood: expect.closeTo(Math.log(122 / 200), 6) },
    ],
  });
});

test("spaces at a context's end count to the continuation, and tokens are cut where the context's end", () => {
  // Words with the space before them, as BPE has them.
  const ids = new Map([
    ['the', 1],
    [' cat', 2],
    [' sat', 3],
    ['sat', 4],
    [' ', 5],
    ['<s>', 9],
  ]);
  const encode = (text: string) => text.match(/ ?\w+| /g)!.map((word) => ids.get(word)!);
  const model = { tokenizer: { encode }, prefixToken: 9, addPrefix: false };
  expect(encodePair(model, 'the cat ', 'sat')).toEqual({ context: [1, 2], continuation: [3] });
  expect(encodePair(model, 'the cat', ' sat')).toEqual({ context: [1, 2], continuation: [3] });
  expect(encodePair(model, '', 'sat')).toEqual({ context: [9], continuation: [4] });
  expect(encodePair(model, ' ', 'sat')).toEqual({ context: [9], continuation: [3] });
  const begun = { ...model, addPrefix: true };
  expect(encodePair(begun, 'the', ' cat')).toEqual({ context: [9, 1], continuation: [2] });
});

test('a context longer than the window is cut on the left and said; an answer that fills it is refused', async () => {
  const model = letterModel((before, letter) => (before === 'cd' && letter === 'x' ? 0.5 : 0.1), 3);
  const yaml = choiceTask.replace('doc_to_target', 'target_delimiter: ""\ndoc_to_target');
  const task = await sampleTask(yaml, [{ q: 'abcd', a: 'x', b: 'y', gold: 0 }]);
  const result = await runTask(task, model);
  expect(result.notes).toEqual([
    "1 of 1 rows are longer than the model's window: cut on the left.",
  ]);
  expect(figure(result, 'acc,none').value).toBe(1);
  const long = await sampleTask(yaml, [{ q: 'a', a: 'xyz', b: 'y', gold: 0 }]);
  await expect(runTask(long, model)).rejects.toThrow(
    "rows.jsonl:1: an answer has 3 tokens, and the model's window 3",
  );
});

test('answers of an earlier run are not asked for again, and give the same scores', async () => {
  const task = await sampleTask(choiceTask, rows);
  const kept = new Map<number, never>();
  const whole = await runTask(task, likesX, {
    onAnswer: (row, answer) =>
      void (row < 2 && kept.set(row, JSON.parse(JSON.stringify(answer)) as never)),
  });
  const asked: number[] = [];
  const rest = await runTask(task, likesX, {
    answered: kept,
    onAnswer: (row) => void asked.push(row),
  });
  expect(asked).toEqual([2, 3]);
  expect(rest.measures).toEqual(whole.measures);
});

test('two data files: a figure each, of which the pooled one is the mean', async () => {
  const task = await loadTask(textFile('t.yaml', choiceTask), {
    read: async (path) => textFile(path, ''),
    data: [rowsFile('easy.jsonl', rows.slice(0, 2)), rowsFile('hard.jsonl', rows.slice(2))],
  });
  const result = await runTask(task, likesX);
  const parts = resultsByFile(result);
  expect([...parts.keys()]).toEqual(['easy.jsonl', 'hard.jsonl']);
  const accuracies = [...parts.values()].map((part) => figure(part, 'acc,none').value);
  expect(accuracies).toEqual([1, 0]);
  expect(figure(result, 'acc,none').value).toBe(0.5);
  // The first file has both classes, all right; in the second, class 1 is predicted and never right.
  expect([...parts.values()].map((part) => figure(part, 'f1,none').value)).toEqual([1, 0]);
  for (const part of parts.values()) expect(compareTasks(part, part)[0]!.difference.value).toBe(0);
});

test('of a bias nothing is to be retained: the share of stereotypes has chance and no retention', async () => {
  const task = await sampleTask(
    choiceTask.replace(/metric_list.*/, 'metric_list: [{ metric: pct_stereotype }]'),
    rows,
  );
  const result = await runTask(task, likesX);
  expect(chanceLevel(result.measures[0]!)).toBe(0.5);
  expect(Object.keys(compareTasks(result, result)[0]!)).toEqual(['key', 'difference']);
});

test('a limit is said with the result', async () => {
  const task = await loadTask(textFile('t.yaml', choiceTask), {
    read: async (path) => textFile(path, ''),
    data: [rowsFile('rows.jsonl', rows)],
    limit: 3,
  });
  expect((await runTask(task, likesX)).notes).toEqual([
    'Only 3 of 4 rows were asked: the first of each file.',
  ]);
});

test('a model without probabilities, texts or vectors is refused by tasks that need them', async () => {
  const { scorer: _, ...bare } = likesX;
  await expect(runTask(await sampleTask(choiceTask, rows), bare)).rejects.toThrow(
    'The task pair is of type multiple_choice, but this model gives no probabilities.',
  );
});

const retrievalTask = `task: find
output_type: retrieval
doc_to_text: text
doc_to_target: relevant
corpus_file: corpus.jsonl
metric_list: [{ metric: ndcg_at_10 }, { metric: recall_at_1 }, { metric: recall_at_2 }]
`;

function findTask(queries: readonly object[], documents: readonly object[]) {
  return loadTask(textFile('t.yaml', retrievalTask), {
    read: async (path) => rowsFile(path, documents),
    data: [rowsFile('rows.jsonl', queries)],
  });
}

const documents = ['right', 'down', 'up'].map((text, at) => ({ _id: `d${at}`, title: '', text }));

/** Directions as vectors. */
const compass: TaskModel = {
  ...likesX,
  embed: async (texts) =>
    texts.map((text) => {
      const known: Record<string, number[]> = { right: [2, 0], up: [0, 1], down: [0, -3] };
      return Float32Array.from(known[text] ?? [1, 0.5]);
    }),
};

test('a query between right and up ranks right, up, down: nDCG and recall by hand', async () => {
  // Cosines with (1, 0.5): right 0.894, up 0.447, down −0.447.
  const task = await findTask(
    [
      { text: 'north-east', relevant: ['d0', 'd1'] },
      { text: 'north-east', relevant: { d2: 2, d1: 1 } },
    ],
    documents,
  );
  const result = await runTask(task, compass);
  const [ndcg, one, two] = result.measures.map((measure) =>
    'scores' in measure ? measure.scores : [],
  );
  const ideal = 1 + 1 / Math.log2(3);
  const first = (1 + 0.5) / ideal;
  const second = (2 / Math.log2(3) + 0.5) / (2 + 1 / Math.log2(3));
  expect(ndcg).toEqual([expect.closeTo(first, 12), expect.closeTo(second, 12)]);
  expect(one).toEqual([0.5, 0]);
  expect(two).toEqual([0.5, 0.5]);
});

test('texts whose vectors are known are not embedded again, and rank the same', async () => {
  const task = await findTask([{ text: 'north-east', relevant: ['d0', 'd1'] }], documents);
  const kept = new Map<number, Answer>();
  const whole = await runTask(task, compass, {
    onAnswer: (number, answer) => void kept.set(number, answer),
  });
  // Three documents, then the query.
  expect([...kept.keys()]).toEqual([0, 1, 2, 3]);
  kept.delete(3);
  const asked: string[] = [];
  const rest = await runTask(
    task,
    {
      ...compass,
      embed: (texts, ...others) => (asked.push(...texts), compass.embed!(texts, ...others)),
    },
    { answered: kept },
  );
  expect(asked).toEqual(['north-east']);
  expect(rest.measures).toEqual(whole.measures);
});

test.each([
  [
    { text: 'q', relevant: [] },
    documents,
    'rows.jsonl:1: the row has no answer: no document is relevant',
  ],
  [
    { text: 'q', relevant: ['d9'] },
    documents,
    'rows.jsonl:1: the relevant document "d9" is not in the corpus',
  ],
  [{ text: 'q', relevant: { d0: 'a' } }, documents, 'rows.jsonl:1: the grade of "d0" is "a"'],
  [
    { text: 'q', relevant: ['d0'] },
    [documents[0]!, documents[0]!],
    'corpus.jsonl:2: the document "d0" is there twice',
  ],
  [{ text: 'q', relevant: ['d0'] }, [{ text: 'a' }], 'corpus.jsonl:1: no text "_id"'],
])('the query %j with a bad answer or corpus is refused', async (query, documents, message) => {
  const task = await findTask([query], documents);
  await expect(runTask(task, compass)).rejects.toThrow(message);
});

test('an embedding of length 0 is refused', async () => {
  const task = await findTask([{ text: 'q', relevant: ['d0'] }], documents);
  const lost: TaskModel = {
    ...compass,
    embed: async (texts) => texts.map(() => new Float32Array(2)),
  };
  await expect(runTask(task, lost)).rejects.toMatchObject({ code: 'not-finite' });
});
