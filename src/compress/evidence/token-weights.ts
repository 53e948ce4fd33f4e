import type { Operations } from '../../graph/operations.ts';
import type { Value } from '../../graph/value.ts';

/** Keeps a matrix without any gradient from dividing 0 by 0; squares of gradients are far above it. */
const least = 1e-30;

/**
 * How much each token of a window counts in the Hessian of a matrix: the mean over output rows of (∂ℓ/∂y)².
 *
 * @param gradients - ∂ℓ/∂y, `[N,R]`, of the matrices that share the Hessian: each has as much to say as the others,
 *   by the mean of its weights over the window.
 * @param strength - What the window weighs against others where matrices share, a scalar.
 * @returns f32 `[N,1]`.
 * @see Kim et al. 2025, arXiv:2505.07004 (GuidedQuant), with one group of rows. Differs: matrices share. In one
 *   tall matrix the rows of values, whose gradients are larger, would drown those of queries and keys.
 */
export function tokenWeights(g: Operations, gradients: readonly Value[], strength: Value): Value {
  const weights = gradients.map((dy) => g.mean(g.mul(dy, dy), 1, true));
  if (weights.length === 1) return weights[0]!;
  const shares = weights.map((own) => g.div(own, g.max(g.mean(own), g.scalar(least))));
  return g.mul(
    strength,
    shares.reduce((sum, share) => g.add(sum, share)),
  );
}
