import { studentQuantile } from '../util/student-t.ts';
import type { Figure } from './figure.ts';

/**
 * What one independent unit, a document or a task row, adds to a mean: the sum of its values and how
 * many there are, or for a ratio its numerator and denominator.
 */
export interface Cluster {
  readonly sum: number;
  readonly count: number;
}

/** The part of an interval's probability that lies below its upper end. */
export const upperProbability = 0.975;

/**
 * The mean Σ sum / Σ count with its 95 % interval, clustered: values of one document may depend on each
 * other as they like, documents may not.
 *
 * Variance Σ e² / (1 − n/N) / N² over documents with residual e = S − mean·n, and t quantiles of
 * {@link effectiveClusters} − 1 degrees of freedom. For documents of one length that is
 * D/(D − 1)·Σ e² / N² with D − 1 degrees of freedom. For uneven ones the latter is too narrow: at 12
 * documents with log-normal lengths (σ = 1) it covers 88 %, this 94 % (bench/interval-coverage.mjs).
 *
 * One cluster says nothing about others: the interval then is infinite (null in JSON).
 *
 * @see Bell & McCaffrey 2002, "Bias reduction in standard errors" (CR2 of a mean); degrees of freedom
 *   by Kish's effective number instead of their formula.
 */
export function clusteredMean(clusters: readonly Cluster[]): Figure {
  const { mean, standardError, freedom } = meanOf(clusters);
  const half = halfWidth(standardError, freedom);
  return { value: mean, low: mean - half, high: mean + half };
}

/** Half the width of a 95 % interval. */
export function halfWidth(standardError: number, freedom: number): number {
  if (freedom <= 0) return Infinity;
  return standardError === 0 ? 0 : studentQuantile(upperProbability, freedom) * standardError;
}

/** Mean, its clustered standard error and the degrees of freedom of the latter. */
export interface Mean {
  readonly mean: number;
  readonly standardError: number;
  readonly freedom: number;
  /** Σ count. */
  readonly count: number;
}

/** The parts that {@link clusteredMean} makes its interval of. */
export function meanOf(clusters: readonly Cluster[]): Mean {
  const total = clusters.reduce((sum, cluster) => sum + cluster.count, 0);
  const mean = clusters.reduce((sum, cluster) => sum + cluster.sum, 0) / total;
  let variance = 0;
  for (const { sum, count } of clusters) {
    const residual = sum - mean * count;
    if (count < total) variance += (residual * residual) / (1 - count / total);
  }
  return {
    mean,
    standardError: Math.sqrt(variance) / total,
    freedom: effectiveClusters(clusters.map(({ count }) => count)) - 1,
    count: total,
  };
}

/**
 * How many clusters of one size would say as much: (Σ n)² / Σ n², from 1 to their number.
 *
 * @see Kish 1965, "Survey sampling".
 */
export function effectiveClusters(counts: readonly number[]): number {
  const sum = counts.reduce((total, count) => total + count, 0);
  const squares = counts.reduce((total, count) => total + count * count, 0);
  return (sum * sum) / squares;
}

/** A figure through a function that never falls, for example perplexity = exp(mean loss). */
export function mapFigure({ value, low, high }: Figure, f: (value: number) => number): Figure {
  return { value: f(value), low: f(low), high: f(high) };
}
