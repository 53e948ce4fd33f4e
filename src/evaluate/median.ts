import type { Figure } from './figure.ts';

/**
 * The median of repeated measurements and an interval for it that assumes no distribution: the k-th
 * least and k-th largest, k as large as still covers the true median in 95 % of cases.
 *
 * Up to five repeats even least and largest do not reach 95 % (five: 93.75 %); they are given then.
 *
 * @see Binomial coverage of order statistics: 1 − 2 Σ_{i<k} C(n, i) / 2^n.
 */
export function medianFigure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const middle = (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  const inner = ranksLeftOut(n);
  return { value: middle, low: sorted[inner]!, high: sorted[n - 1 - inner]! };
}

/** How many measurements may be left out at each end: Σ_{i≤left} C(n, i) / 2^n stays below 2.5 %. */
function ranksLeftOut(n: number): number {
  let probability = 2 ** -n;
  let tail = probability;
  let left = 0;
  for (let i = 1; i < n / 2; i++) {
    probability *= (n - i + 1) / i;
    tail += probability;
    if (tail > 0.025) break;
    left = i;
  }
  return left;
}
