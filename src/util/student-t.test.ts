import { describe, expect, test } from 'vitest';
import { normalDistribution, studentDistribution, studentQuantile } from './student-t.ts';

describe('Student t', () => {
  // 97.5 % points, qt(0.975, df) of R.
  test.each([
    [1, 12.7062047362],
    [2, 4.30265272991],
    [3, 3.18244630528],
    [5, 2.57058183564],
    [10, 2.22813885199],
    [30, 2.0422724563],
    [1000, 1.96233908082],
    [Infinity, 1.95996398454],
  ])('of %s degrees of freedom has its 97.5 %% point at %s', (freedom, expected) => {
    expect(studentQuantile(0.975, freedom)).toBeCloseTo(expected, 8);
    expect(studentQuantile(0.025, freedom)).toBeCloseTo(-expected, 8);
  });

  test('one degree of freedom is the Cauchy distribution, 1/2 + atan(t)/π', () => {
    for (const t of [-3, -0.5, 0, 0.1, 1, 20]) {
      expect(studentDistribution(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
    }
  });

  test('many degrees of freedom join the normal distribution without a step', () => {
    expect(studentDistribution(2, 9.9e6)).toBeCloseTo(studentDistribution(2, 1.1e7), 7);
  });

  test('the normal distribution has its known values', () => {
    // pnorm of R.
    expect(normalDistribution(0)).toBe(0.5);
    expect(normalDistribution(1)).toBeCloseTo(0.841344746068543, 12);
    expect(normalDistribution(-1.7)).toBeCloseTo(0.0445654627585, 12);
    expect(normalDistribution(-5)).toBeCloseTo(2.86651571879e-7, 15);
  });
});
