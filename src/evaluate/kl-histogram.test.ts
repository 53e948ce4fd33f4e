import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { klHistogram } from './kl-histogram.ts';

test('0 and 1e-8 lie below, 200 above, 0.02 between 10^-1.75 and 10^-1.5', () => {
  const { edges, counts, below, above } = klHistogram(Float32Array.of(0, 1e-8, 200, 0.02));
  expect([below, above]).toEqual([2, 1]);
  const bin = counts.indexOf(1);
  expect(counts.reduce((sum, count) => sum + count)).toBe(1);
  expect(edges[bin]).toBeCloseTo(0.017783, 6);
  expect(edges[bin + 1]).toBeCloseTo(0.031623, 6);
});

test('every divergence is counted once', () => {
  const divergences = fc.float32Array({ min: 0, max: 1000, noNaN: true, minLength: 1 });
  fc.assert(
    fc.property(divergences, (values) => {
      const { counts, below, above } = klHistogram(values);
      expect(counts.reduce((sum, count) => sum + count, below + above)).toBe(values.length);
    }),
  );
});
