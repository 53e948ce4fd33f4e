import type { Figure } from '../figure.ts';
import { halfWidth } from '../interval.ts';

/**
 * What is left of a score above chance: Σ candidate / Σ base, with Fieller's 95 % interval for a ratio
 * of paired means.
 *
 * Where the base itself cannot be told from chance, no bounded interval has the coverage: the result
 * then goes from −∞ to ∞ (null in JSON). A percentile bootstrap would give numbers there.
 *
 * @param candidate - Score − chance of each row.
 * @param base - The same rows, in the same order.
 * @see Fieller 1954, "Some problems in interval estimation".
 */
export function retention(candidate: readonly number[], base: readonly number[]): Figure {
  const [a, b] = [meanOf(candidate), meanOf(base)];
  const square = halfWidth(1, candidate.length - 1) ** 2;
  const whole = { value: a / b, low: -Infinity, high: Infinity };
  if (square === Infinity) return whole;
  const variance = (x: readonly number[], y: readonly number[]) => {
    return (square * covariance(x, y)) / candidate.length;
  };
  const denominator = b * b - variance(base, base);
  if (!(denominator > 0)) return whole;
  const middle = a * b - variance(candidate, base);
  const product = a * a - variance(candidate, candidate);
  // Rounding may leave it just below 0 when the two models answer alike.
  const half = Math.sqrt(Math.max(0, middle * middle - denominator * product));
  return { value: a / b, low: (middle - half) / denominator, high: (middle + half) / denominator };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function covariance(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [meanOf(x), meanOf(y)];
  const products = x.reduce((sum, value, at) => sum + (value - meanX) * (y[at]! - meanY), 0);
  return products / (x.length - 1);
}
