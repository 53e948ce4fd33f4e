import { expect, test } from 'vitest';
import type { Allocation } from '../../../compress/allocate/index.ts';
import { smallestThatKeeps } from './keep.ts';

const points = Array.from({ length: 500 }, (_, at): Allocation => {
  return { types: new Map(), bytes: 1000 + 10 * at, cost: 1 / (1 + at) };
});

/** Keeps 90 % at 1000 bytes and 100 % at 6000, known to ± 1 %. */
const measure = async ({ bytes }: Allocation) => {
  const value = 0.9 + (0.1 * (bytes - 1000)) / 5000;
  return { value, low: value - 0.01, high: value + 0.01 };
};

test.each([
  [0.95, 4000],
  [0.92, 2500],
])(
  'a lower bound of %d is first reached at %i bytes: found within 1 % above',
  async (share, bytes) => {
    const { allocation, trials } = await smallestThatKeeps(points, share, measure);
    expect(allocation.bytes).toBeGreaterThanOrEqual(bytes);
    expect(allocation.bytes).toBeLessThan(1.011 * bytes);
    expect(trials.length).toBeLessThan(11);
  },
);

test('the smallest of all is found where all keep enough', async () => {
  const { allocation } = await smallestThatKeeps(points, 0.5, measure);
  expect(allocation.bytes).toBeLessThan(1.011 * 1000);
});

test('more than the largest keeps is refused after one measurement, with both numbers', async () => {
  await expect(smallestThatKeeps(points, 0.995, measure)).rejects.toMatchObject({
    code: 'unsupported',
    message:
      'Even in the largest types the file keeps 99.98 %, at least 98.98 %: less than 99.50 %.',
  });
});
