import type { Operations } from '../operations.ts';
import type { Value } from '../value.ts';

// The order of nodes is one that ONNX Runtime fuses into a single kernel: reorder none of them.

/**
 * weight · x / √(mean(x²) + ε) over the last axis; no weight: not scaled.
 *
 * @see Zhang and Sennrich 2019, arXiv:1910.07467
 */
export function rmsNorm(
  g: Operations,
  x: Value,
  weight: Value | undefined,
  epsilon: number,
): Value {
  const meanSquare = g.mean(g.pow(x, g.scalar(2)), -1, true);
  const normalized = g.div(x, g.sqrt(g.add(meanSquare, g.scalar(epsilon))));
  return weight ? g.mul(normalized, weight) : normalized;
}

/**
 * weight · (x − mean) / √(variance + ε) + bias over the last axis, of the population's variance.
 *
 * @see Ba et al. 2016, arXiv:1607.06450
 */
export function layerNorm(
  g: Operations,
  x: Value,
  { weight, bias }: { readonly weight: Value; readonly bias?: Value },
  epsilon: number,
): Value {
  const centered = g.sub(x, g.mean(x, -1, true));
  const variance = g.mean(g.pow(centered, g.scalar(2)), -1, true);
  const scaled = g.mul(g.div(centered, g.sqrt(g.add(variance, g.scalar(epsilon)))), weight);
  return bias ? g.add(scaled, bias) : scaled;
}
