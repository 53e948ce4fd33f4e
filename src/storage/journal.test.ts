import { expect, test } from 'vitest';
import { journalLine, parseJournal } from './journal.ts';

const head = journalLine({ planHash: 'hash', totalBytes: 100 });
const step = (offset: number) => journalLine({ step: 'é', offset });

test('reads the head and every step, and where the text ends in bytes', () => {
  const text = head + step(10) + step(10) + step(100);
  const journal = parseJournal(text)!;
  expect(journal.steps.map(({ offset }) => offset)).toEqual([10, 10, 100]);
  expect(journal.validBytes).toBe(Buffer.byteLength(text));
});

test('stops before a line that is torn, falls back, or passes the end', () => {
  const good = head + step(10);
  for (const bad of [step(20).slice(0, -1), step(9), step(101), '{}\n', 'null\n', '\n']) {
    const journal = parseJournal(good + bad + step(50))!;
    expect(journal.steps.length).toBe(1);
    expect(journal.validBytes).toBe(Buffer.byteLength(good));
  }
});

test('without a whole head there is no journal', () => {
  for (const text of ['', head.slice(0, -1), '{"planHash":1,"totalBytes":1}\n', '[]\n']) {
    expect(parseJournal(text)).toBeUndefined();
  }
});
