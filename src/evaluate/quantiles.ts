import type { Figure } from './figure.ts';
import { clustersOf, type Grouping } from './grouping.ts';
import { proportion } from './proportion.ts';

/**
 * Quantiles of clustered values with 95 % intervals: those values between which the quantile's share
 * lies by {@link proportion}.
 *
 * A quantile is the smallest value that at least that share of all values does not exceed. Where even the
 * largest value bounds nothing, as at 99.9 % of a few hundred, the interval is open (null in JSON).
 *
 * @param values - Of all groups, one after the other.
 * @param probabilities - For example 0.5 for the median.
 * @see Woodruff 1952, "Confidence intervals for medians and other position measures". Covers 93 to 96 %
 *   where the cluster bootstrap, tried first, covers 56 to 95 % (bench/interval-coverage.mjs).
 * @remarks O(n log n).
 */
export function clusteredQuantiles(
  values: Float32Array | Float64Array,
  grouping: Grouping,
  probabilities: readonly number[],
): Figure[] {
  const sorted = values.slice().sort();
  return probabilities.map((probability) => {
    const value = sorted[placeOf(probability, sorted.length)]!;
    const below = Uint8Array.from(values, (other) => Number(other <= value));
    const share = proportion(clustersOf(grouping, below));
    // Widths, not ends: many equal values hold more than the quantile's share.
    const low = placeOf(probability - (share.value - share.low), sorted.length);
    const high = placeOf(probability + (share.high - share.value), sorted.length);
    return {
      value,
      low: low > 0 ? sorted[low]! : -Infinity,
      high: high < sorted.length - 1 ? sorted[high]! : Infinity,
    };
  });
}

/** Where in n sorted values the one stands that `probability · n` of them do not exceed. */
function placeOf(probability: number, n: number): number {
  // A share that is a whole number of values but for rounding asks for no value more.
  return Math.max(0, Math.ceil(probability * n * (1 - 1e-12)) - 1);
}
