import type { Figure } from './figure.ts';
import { halfWidth, meanOf, type Cluster } from './interval.ts';

/**
 * A share with its 95 % interval inside 0 to 1: Wilson's, over the number of independent values that
 * says as much as the clustered ones do.
 *
 * That number is p(1 − p) / SE² with the clustered standard error, but no more than there are
 * values. Where all values agree, how they depend on each other cannot be seen: they then count as
 * independent (one million agreeing tokens: 1 [0.999996, 1]).
 *
 * @param clusters - `sum` of `count` values that are 0 or 1.
 * @see Wilson 1927; Korn & Graubard 1998 for the effective number.
 */
export function proportion(clusters: readonly Cluster[]): Figure {
  const { mean, standardError, freedom, count } = meanOf(clusters);
  const quantile = halfWidth(1, freedom);
  if (quantile === Infinity) return { value: mean, low: 0, high: 1 };
  const variance = mean * (1 - mean);
  const effective = variance > 0 ? Math.min(count, variance / standardError ** 2) : count;
  const square = quantile ** 2 / effective;
  const middle = (mean + square / 2) / (1 + square);
  const half = Math.sqrt(square * (variance + square / 4)) / (1 + square);
  return { value: mean, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
