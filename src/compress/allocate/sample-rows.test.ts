import { expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import { sampleRows } from './sample-rows.ts';
import type { TensorUse } from './uses.ts';

const random = seededRandom(3);

/** 2,000 rows of which few matter, as of an output matrix, in two stacked matrices. */
const use: TensorUse = {
  experts: 2,
  rows: Float64Array.from({ length: 2000 }, () => random.uniform() ** 8),
  columns: Float64Array.of(1, 2, 3, 4),
};
const errors = use.rows.map(() => 0.5 + random.uniform());
const costOf = (row: number) => use.rows[row]! * errors[row]! * (row < 1000 ? 3 : 7);
const exact = use.rows.reduce((sum, _, row) => sum + costOf(row), 0);

function estimate(count: number, seed: number): number {
  const { rows, weights } = sampleRows([use], count, seededRandom(seed));
  return rows.reduce((sum, row, at) => sum + weights[at]! * costOf(row), 0);
}

test('64 rows of 2,000 estimate a sum without bias: the mean of 400 seeds is within 1 %', () => {
  const estimates = Array.from({ length: 400 }, (_, seed) => estimate(64, seed) / exact);
  const mean = estimates.reduce((sum, one) => sum + one, 0) / 400;
  const squares = estimates.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  expect(Math.abs(mean - 1)).toBeLessThan(0.01);
  // Errors from 0.5 to 1.5 have a deviation of 0.29: over √64, 3.6 %.
  expect(Math.sqrt(squares / 399)).toBeLessThan(0.045);
});

test('rows come in ascending order, a seed gives the same ones, and no more than asked for', () => {
  const { rows, weights } = sampleRows([use], 64, seededRandom(1));
  expect(rows).toEqual(rows.toSorted((a, b) => a - b));
  expect(rows.length).toBeLessThanOrEqual(64);
  expect(weights.every((weight) => weight > 0)).toBe(true);
  expect(sampleRows([use], 64, seededRandom(1)).rows).toEqual(rows);
  expect(sampleRows([use], 64, seededRandom(2)).rows).not.toEqual(rows);
});

test('all rows when there are few', () => {
  expect(estimate(2000, 1)).toBeCloseTo(exact, 9);
});

test('rows that cost nothing are not drawn', () => {
  const rows = Float64Array.from({ length: 10 }, (_, row) => Number(row === 4));
  expect(sampleRows([{ ...use, experts: 1, rows }], 3, seededRandom(1))).toEqual({
    rows: [4],
    weights: [1],
  });
});
