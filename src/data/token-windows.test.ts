import { expect, test } from 'vitest';
import { parseCalibrationRow } from './calibration-rows.ts';
import { joinTokens } from './token-windows.ts';

const documents = [
  [11, 12, 13],
  [21, 22, 23, 24],
];

test('documents are joined with a separator and cut into full windows, the rest is left out', () => {
  const windows = joinTokens(documents, { length: 3, bos: undefined, separator: 0 });
  expect(windows.map((window) => [...window])).toEqual([
    [11, 12, 13],
    [0, 21, 22],
  ]);
});

test('BOS opens each document once, and takes the place of a window’s first token', () => {
  const own = [[1, 11, 12, 13], documents[1]!];
  const windows = joinTokens(own, { length: 3, bos: 1, separator: 0 });
  expect(windows.map((window) => [...window])).toEqual([
    [1, 11, 12],
    [1, 1, 21],
    [1, 23, 24],
  ]);
});

test('a text shorter than a window is refused with both numbers', () => {
  const options = { length: 20, bos: undefined, separator: 0 };
  expect(() => joinTokens(documents, options)).toThrow(
    'There are 8 tokens to calibrate on, fewer than one window of 20.',
  );
  expect(() => joinTokens(documents, { ...options, length: 5, maxTokens: 4 })).toThrow(
    expect.objectContaining({
      hint: 'Use --tokens 5 or more, or shorter windows (--context).',
    }),
  );
});

test('a row is text or a conversation; others are refused by their line', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(parseCalibrationRow('{"text": "a"}', 'x')).toEqual({ text: 'a' });
  expect(parseCalibrationRow(JSON.stringify({ messages }), 'x')).toEqual({ messages });
  for (const row of ['{"messages": []}', '{"messages": [{"role": "user"}]}', '[1]', '{"text": 1}'])
    expect(() => parseCalibrationRow(row, 'x.jsonl, line 3')).toThrow(
      'x.jsonl, line 3, has neither',
    );
});
