import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AnswerFile } from './answer-file.ts';
import { EvaluationSession } from './session.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-answers-'));
const path = join(folder, 'candidate.answers');
afterAll(() => rmSync(folder, { recursive: true }));

const likely = { answers: [{ logLikelihood: -0.1 - 0.2, greedy: true }], truncated: 0 };
const written = { text: 'line\nof "text"', truncated: 1 };
const vector = { vector: [Math.fround(0.1), -1e-30] };

async function reopened(key: string): Promise<(readonly [number, unknown])[]> {
  const file = await AnswerFile.open(path, key);
  await file.close();
  return [...file.found];
}

test('answers of every kind come back to the last bit', async () => {
  const file = await AnswerFile.open(path, 'k');
  expect(file.found.size).toBe(0);
  file.add(0, likely);
  file.add(2, written);
  file.add(1, vector);
  await file.close();
  expect(await reopened('k')).toEqual([
    [0, likely],
    [2, written],
    [1, vector],
  ]);
});

test('a line torn by kill -9 is missing, and those after it are not', async () => {
  truncateSync(path, readFileSync(path).length - 5);
  const file = await AnswerFile.open(path, 'k');
  expect([...file.found.keys()]).toEqual([0, 2]);
  file.add(3, written);
  await file.close();
  appendFileSync(path, '[4,{"text":1}]\n[-1,{}]\n\0\0\0\n');
  expect((await reopened('k')).map(([number]) => number)).toEqual([0, 2, 3]);
});

test('answers under another key are not ours', async () => {
  expect(await reopened('other')).toEqual([]);
  expect(readFileSync(path, 'utf8')).toBe('{"key":"other"}\n');
});

test('two processes do not write one file; at the end of a session nothing of it is left', async () => {
  const file = await AnswerFile.open(path, 'other');
  await expect(AnswerFile.open(path, 'other')).rejects.toMatchObject({ code: 'conflict' });
  await file.close();
  const session = new EvaluationSession();
  session.keep(path);
  session.keep(`${path}.never-written`);
  await session.end();
  expect(existsSync(path) || existsSync(`${path}.lock`)).toBe(false);
});
