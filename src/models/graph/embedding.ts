import type { Value } from '../../graph/value.ts';
import { PithError } from '../../util/errors.ts';
import type { ModelScope } from './model-scope.ts';

/** Sizes of a graph, all fixed when it is built. */
export interface GraphSizes {
  /** Texts at once. */
  readonly batch: number;
  /** Tokens of each, at positions 0, 1, 2 … */
  readonly length: number;
}

/** The input `tokens` (i64 `[B,T]`) and the rows of the embedding that it picks, `[B,T,C]`. */
export function embedTokens({ g, root }: ModelScope, { batch, length }: GraphSizes): Value {
  const tokens = g.input('tokens', 'i64', [batch, length]);
  return g.gather(root.weight('token_embd.weight'), tokens);
}

/**
 * Adds a learned vector for each position, in models that have them.
 *
 * @throws PithError `shape` for texts that are longer than there are positions.
 */
export function addPositions({ g, root }: ModelScope, x: Value): Value {
  if (!root.has('position_embd.weight')) return x;
  const length = x.shape[1]!;
  const positions = root.shape('position_embd.weight')[0]!;
  if (length > positions) {
    throw new PithError(
      'shape',
      `A text of ${length} tokens does not fit the model's ${positions} positions.`,
      `Use windows of at most ${positions} tokens.`,
    );
  }
  return g.add(x, g.slice(root.weight('position_embd.weight'), 0, 0, length));
}
