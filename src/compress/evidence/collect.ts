import { Collector } from './collector.ts';
import type { Collected, CollectOptions, CollectorParts } from './collection.ts';

/**
 * Runs windows of text through a decoder, block by block, and sums the squares of what enters its matrices and,
 * on the way back, of the gradients by what comes out.
 *
 * @param windows - Tokens, at least one window; all have the same length.
 * @throws PithError `not-finite` naming a matrix, `unsupported` for a model without a graph and for fewer tokens than
 *   the columns of a Hessian's block, `cancelled`; whatever reading weights and the store throw.
 * @see Martens and Grosse 2015, arXiv:1503.05671 (K-FAC): with labels drawn from the model, E[a²] and E[(∂ℓ/∂y)²]
 *   are the diagonals of the two factors of the Fisher information; Hessian and Gram matrix are the factors.
 * @remarks Sums of squares of a window are f32 at the engine, those over windows f64; Hessians are f32, window after
 *   window. Neither depends on how windows are cut into passes. Gradients cost about three more forward passes,
 *   Hessians half of one, Gram matrices as much. Memory: the weights that `weights` keeps, or two blocks';
 *   `activationBytes`; three times the Hessians and Gram matrices of one block, 4 bytes a column and column or row and
 *   row (before a window, after it, and on their way); and all that the store keeps in memory. Of experts, every one computes every token.
 */
export async function collectEvidence(
  parts: CollectorParts,
  windows: readonly Int32Array[],
  options: CollectOptions = {},
): Promise<Collected> {
  const collector = new Collector(parts, windows, options);
  try {
    return await collector.run();
  } finally {
    await collector.close();
  }
}
