import { describe, expect, test } from 'vitest';
import { PithError } from '../../util/errors.ts';
import { seededRandom } from '../../util/random.ts';
import { inverseFactor } from './cholesky.ts';
import type { InverseFactor } from './cholesky.ts';

/** Σ aaᵀ of `tokens` random inputs whose columns are correlated and of very different sizes. */
function secondMoments(n: number, tokens: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const h = new Float64Array(n * n);
  const size = Float64Array.from({ length: n }, () => Math.exp(random.normal()));
  for (let token = 0; token < tokens; token += 1) {
    const common = random.normal();
    const a = size.map((s) => s * (random.normal() + common));
    for (let i = 0; i < n; i += 1) for (let j = 0; j < n; j += 1) h[i * n + j]! += a[i]! * a[j]!;
  }
  return h;
}

/** The inverse by Gauss-Jordan elimination with row pivots. */
function explicitInverse(h: Float64Array, n: number): Float64Array {
  const a = h.slice();
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) inverse[i * n + i] = 1;
  for (let column = 0; column < n; column += 1) {
    let pivot = column;
    for (let i = column; i < n; i += 1) {
      if (Math.abs(a[i * n + column]!) > Math.abs(a[pivot * n + column]!)) pivot = i;
    }
    for (const matrix of [a, inverse]) {
      const row = matrix.slice(pivot * n, pivot * n + n);
      matrix.copyWithin(pivot * n, column * n, column * n + n);
      matrix.set(row, column * n);
    }
    const scale = 1 / a[column * n + column]!;
    for (let j = 0; j < n; j += 1) {
      a[column * n + j]! *= scale;
      inverse[column * n + j]! *= scale;
    }
    for (let i = 0; i < n; i += 1) {
      const factor = a[i * n + column]!;
      if (i === column || factor === 0) continue;
      for (let j = 0; j < n; j += 1) {
        a[i * n + j]! -= factor * a[column * n + j]!;
        inverse[i * n + j]! -= factor * inverse[column * n + j]!;
      }
    }
  }
  return inverse;
}

function damped(h: Float64Array, n: number, share: number): Float64Array {
  const mean = Array.from({ length: n }, (_, j) => h[j * n + j]!).reduce((a, b) => a + b) / n;
  return h.map((value, index) => (index % (n + 1) === 0 ? value + share * mean : value));
}

/** max |UᵀU − expected| over the largest |expected|. */
function relativeError(factor: Float64Array, expected: Float64Array, n: number): number {
  let worst = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = 0;
      for (let k = 0; k <= Math.min(i, j); k += 1) sum += factor[k * n + i]! * factor[k * n + j]!;
      worst = Math.max(worst, Math.abs(sum - expected[i * n + j]!));
    }
  }
  return worst / expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function solved(result: InverseFactor): Extract<InverseFactor, { ok: true }> {
  if (!result.ok) throw new Error(result.reason);
  return result;
}

describe('the factor of the inverse', () => {
  test.each([1, 2, 3, 63, 64, 65, 130])(
    'UᵀU is the inverse of the damped matrix to 1e-10, n = %i',
    (n) => {
      const h = secondMoments(n, 2 * n, 1);
      const { factor, damping, attempts, dead } = solved(inverseFactor(h, n));
      expect({ damping, attempts, dead }).toEqual({ damping: 0.01, attempts: 1, dead: [] });
      expect(relativeError(factor, explicitInverse(damped(h, n, 0.01), n), n)).toBeLessThan(1e-10);
    },
  );

  test('a matrix longer than one pass of 512 columns times its inverse is the identity', () => {
    const n = 600;
    const h = new Float64Array(n * n);
    // Tridiagonal, so that H · (UᵀU) is cheap to check: 2 on the diagonal, −1 beside it.
    for (let i = 0; i < n; i += 1) {
      h[i * n + i] = 2;
      if (i > 0) h[i * n + i - 1] = h[(i - 1) * n + i] = -1;
    }
    const { factor } = solved(inverseFactor(h, n, { damping: 0 }));
    // (H⁻¹)_ij = (i + 1)(n − j) / (n + 1) for i ≤ j, counted from 0: a textbook inverse.
    for (const [i, j] of [
      [0, 0],
      [0, 599],
      [17, 300],
      [299, 512],
      [599, 599],
    ] as const) {
      let sum = 0;
      for (let k = 0; k <= i; k += 1) sum += factor[k * n + i]! * factor[k * n + j]!;
      expect(sum).toBeCloseTo(((i + 1) * (n - j)) / (n + 1), 8);
    }
  });

  test('the factor is zero below its diagonal and positive on it', () => {
    const n = 70;
    const { factor } = solved(inverseFactor(secondMoments(n, 200, 2), n));
    for (let i = 0; i < n; i += 1) {
      expect(factor[i * n + i]).toBeGreaterThan(0);
      expect(factor.subarray(i * n, i * n + i).every((value) => value === 0)).toBe(true);
    }
  });

  test('only the upper triangle is read, and the matrix is left as it was', () => {
    const n = 66;
    const h = secondMoments(n, 100, 3);
    const upper = h.slice();
    for (let i = 0; i < n; i += 1) upper.fill(NaN, i * n, i * n + i);
    const copy = upper.slice();
    expect(inverseFactor(upper, n)).toEqual(inverseFactor(h, n));
    expect(upper).toEqual(copy);
  });
});

describe('matrices that need help', () => {
  test('of 10 inputs for 80 columns H is singular, and 1 % damping is enough', () => {
    const n = 80;
    const h = secondMoments(n, 10, 4);
    expect(solved(inverseFactor(h, n)).attempts).toBe(1);
    expect(inverseFactor(h, n, { damping: 0 })).toMatchObject({
      ok: false,
      reason: 'not-positive-definite',
      attempts: 1,
    });
  });

  test('an eigenvalue of −0.1 among mean 1 fails at 1 % and 4 % and passes at 16 %', () => {
    // [[1, 1.1], [1.1, 1]] has the eigenvalues 2.1 and −0.1.
    const h = Float64Array.of(1, 1.1, 1.1, 1);
    const { damping, attempts, factor } = solved(inverseFactor(h, 2));
    expect({ damping, attempts }).toEqual({ damping: 0.16, attempts: 3 });
    expect(relativeError(factor, explicitInverse(damped(h, 2, 0.16), 2), 2)).toBeLessThan(1e-12);
  });

  test('an eigenvalue of −4 is a failure that says what was tried: 1, 4, 16 and 64 %', () => {
    expect(inverseFactor(Float64Array.of(1, 5, 5, 1), 2)).toEqual({
      ok: false,
      reason: 'not-positive-definite',
      damping: 0.64,
      attempts: 4,
    });
  });

  test.each([NaN, Infinity, -Infinity])('%d anywhere above the diagonal is not finite', (value) => {
    for (const place of [0, 1, 4, 3 * 5 + 3, 4 * 5 + 4]) {
      const h = secondMoments(5, 20, 5);
      h[place] = value;
      expect(inverseFactor(h, 5)).toMatchObject({ ok: false, reason: 'not-finite', attempts: 1 });
    }
  });

  test('a column that no input reached stands alone, and the others are as without it', () => {
    const n = 4;
    const h = secondMoments(n, 20, 6);
    const live = [0, 1, 3];
    for (let i = 0; i < n; i += 1) h[i * n + 2] = h[2 * n + i] = 0;
    const { factor, dead } = solved(inverseFactor(h, n));
    const without = Float64Array.from(live.flatMap((i) => live.map((j) => h[i * n + j]!)));
    const expected = solved(inverseFactor(without, 3)).factor;
    expect(dead).toEqual([2]);
    expect(live.flatMap((i) => live.map((j) => factor[i * n + j]!))).toEqual([...expected]);
    expect([...factor.subarray(8, 12)].map((value) => value === 0)).toEqual([
      true,
      true,
      false,
      true,
    ]);
    const lambda = (0.01 * (without[0]! + without[4]! + without[8]!)) / 3;
    expect(factor[2 * n + 2]).toBeCloseTo(1 / Math.sqrt(lambda), 12);
  });

  test('of inputs that are all zero the factor is the identity', () => {
    const { factor, dead } = solved(inverseFactor(new Float64Array(9), 3));
    expect([...factor]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect(dead).toEqual([0, 1, 2]);
  });

  test('a matrix of the wrong size is refused', () => {
    expect(() => inverseFactor(new Float64Array(8), 3)).toThrow(PithError);
  });
});
