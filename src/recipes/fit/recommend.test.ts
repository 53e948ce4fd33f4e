import { expect, test } from 'vitest';
import { recommend, type FitRow } from './recommend.ts';

const row = (
  type: string,
  bitsPerWeight: number,
  speed: number,
  fits: boolean | undefined,
): FitRow => ({
  type,
  bytes: 1e6 * bitsPerWeight,
  bitsPerWeight,
  memory: [
    { contextLength: 4096, totalBytes: 1e6 * bitsPerWeight, fits },
    { contextLength: 32_768, totalBytes: 1e9, fits: false },
  ],
  predictedTokensPerSecond: { value: speed, low: speed, high: speed },
  command: `make ${type}`,
});

test('the most bits up to 9 that fit and are fast enough: F16 fits too, Q6_K is too slow', () => {
  const rows = [
    row('F16', 16, 4, true),
    row('Q8_0', 8.5, 7, true),
    row('Q6_K', 6.6, 9, true),
    row('Q4_K_M', 4.9, 12, true),
    row('Q2_K', 3, 20, true),
  ];
  expect(recommend(rows, 10)).toMatchObject({ type: 'Q4_K_M', command: 'make Q4_K_M' });
  expect(recommend(rows, 5)?.type).toBe('Q8_0');
});

test('the first context decides whether a type fits', () => {
  const rows = [row('Q8_0', 8.5, 50, false), row('Q4_K_M', 4.9, 90, true)];
  expect(recommend(rows, 10)?.type).toBe('Q4_K_M');
});

test('where none is fast enough the fastest that fits, and the reason says so', () => {
  const rows = [row('Q8_0', 8.5, 2, true), row('Q2_K', 3, 5, true)];
  expect(recommend(rows, 10)).toMatchObject({
    type: 'Q2_K',
    reason: expect.stringContaining('none reaches 10 tokens/s'),
  });
});

test('nothing that fits, or no known memory: no recommendation', () => {
  expect(recommend([row('Q2_K', 3, 50, false)], 10)).toBeUndefined();
  expect(recommend([row('Q2_K', 3, 50, undefined)], 10)).toBeUndefined();
});

test('an encoder has no speed: the most bits that fit', () => {
  const rows = [row('Q8_0', 8.5, 0, true), row('Q4_K_M', 4.9, 0, true)];
  const encoder = rows.map((one) => ({ ...one, predictedTokensPerSecond: undefined }));
  expect(recommend(encoder, 10)).toMatchObject({ type: 'Q8_0', reason: 'the most bits that fit' });
});

test('a 16-bit file alone is recommended when it is all there is', () => {
  expect(recommend([row('as it is', 16, 50, true)], 10)?.type).toBe('as it is');
});
