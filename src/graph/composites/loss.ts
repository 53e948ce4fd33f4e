import type { Operations } from '../operations.ts';
import type { Value } from '../value.ts';

/** Natural-log probability of each target: `logits [...,V]`, `targets [...]` (i64) → `[...]`. */
export function tokenLogProbs(g: Operations, logits: Value, targets: Value): Value {
  const column = g.reshape(targets, [...targets.shape, 1]);
  const picked = g.gatherElements(g.logSoftmax(logits), column, -1);
  return g.reshape(picked, targets.shape);
}

/**
 * −Σ mask·log p(target) / Σ mask, in nats: the mean over the unmasked positions, NaN without any.
 *
 * @param options.mask - f32 of the shape of `targets`: 1 where a token counts, 0 where not.
 */
export function crossEntropy(
  g: Operations,
  { logits, targets, mask }: Readonly<Record<'logits' | 'targets' | 'mask', Value>>,
): Value {
  const total = g.sum(g.mul(tokenLogProbs(g, logits, targets), mask));
  return g.neg(g.div(total, g.sum(mask)));
}
