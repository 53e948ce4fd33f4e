import { expect, test } from 'vitest';
import { medianFigure } from './median.ts';

const shuffled = (n: number) => Array.from({ length: n }, (_, i) => ((i * 7) % n) + 1);

test('the middle value, or the mean of the two middle ones', () => {
  expect(medianFigure([3, 1, 2]).value).toBe(2);
  expect(medianFigure([4, 1, 3, 2]).value).toBe(2.5);
  expect(medianFigure([5])).toEqual({ value: 5, low: 5, high: 5 });
});

test('intervals leave out what the sign test allows: none of 8, 1 of 9, 2 of 12, 5 of 20', () => {
  // Σ_{i≤left} C(n, i) / 2^n ≤ 2.5 %: 10/512, 79/4096 and 21,700/1,048,576; with one more of 8, 9/256.
  const lows = [5, 6, 8, 9, 12, 20].map((n) => medianFigure(shuffled(n)).low);
  expect(lows).toEqual([1, 1, 1, 2, 3, 6]);
  expect(medianFigure(shuffled(20))).toEqual({ value: 10.5, low: 6, high: 15 });
});
