import { meanSquares } from '../evidence/moments.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { PithError } from '../../util/errors.ts';

/**
 * One way in which a tensor reaches the logits: a change Δ of its weights costs ½ Σ rows_i columns_j Δ_ij² nats a
 * token.
 */
export interface TensorUse {
  /** One of a stack's matrices after the other. */
  readonly experts: number;
  /** `[experts · rows]`. */
  readonly rows: Float64Array;
  /** `[experts, columns]`. */
  readonly columns: Float64Array;
}

/** The embedding as a table, whatever else it is. */
const table = 'token_embd.weight';

/**
 * What a tensor does for the model: a matrix, a table of rows, or both where the embedding is tied.
 *
 * - A matrix y = W a: the mean squares of the gradient by y and of a. An expert's count by its share of the tokens.
 * - The embedding: how often a row is read, and the mean squares of the gradient by what it gives.
 *
 * @throws PithError `not-found` when the evidence knows nothing of the tensor, `unsupported` when it has no gradients.
 * @see Martens and Grosse 2015, arXiv:1503.05671: the Fisher information of a matrix as a Kronecker product; here
 *   the diagonals of its two factors. KL(base‖changed) is ½ Δᵀ F Δ to second order.
 */
export function usesOf(
  name: string,
  { source, tokens, tensors, embedding }: Evidence,
): TensorUse[] {
  const uses: TensorUse[] = [];
  const matrix = tensors.get(name);
  if (matrix && !matrix.outputs) throw withoutGradients(source.model);
  if (matrix?.outputs) {
    const { experts, size, counts } = matrix.outputs;
    const rows = meanSquares(matrix.outputs);
    for (const at of rows.keys()) rows[at]! *= counts[Math.floor(at / size)]! / tokens;
    uses.push({ experts, rows, columns: meanSquares(matrix.inputs) });
  }
  if (name === table) {
    if (!embedding) throw withoutGradients(source.model);
    const read = embedding.rows.reduce((sum, count) => sum + count, 0);
    const rows = embedding.rows.map((count) => count / read);
    uses.push({ experts: 1, rows, columns: meanSquares(embedding.gradients) });
  }
  if (uses.length > 0) return uses;
  throw new PithError(
    'not-found',
    `The evidence of ${source.model} has nothing about ${name}.`,
    'Measure it on this very model: pith calibrate MODEL -o evidence.gguf',
  );
}

/** What an encoder weighs columns with, `[experts, columns]`: how much a change in each costs, over all rows. */
export function columnImportance(uses: readonly TensorUse[]): Float32Array {
  const [{ columns }] = uses as [TensorUse];
  if (uses.length === 1) return Float32Array.from(columns);
  const shares = uses.map(({ rows }) => rows.reduce((sum, row) => sum + row, 0));
  return Float32Array.from(columns, (_, at) =>
    uses.reduce((sum, use, number) => sum + shares[number]! * use.columns[at]!, 0),
  );
}

function withoutGradients(model: string): PithError {
  return new PithError(
    'unsupported',
    `The evidence of ${model} has no gradients, so that what a change costs is not known.`,
    'Make it again without --no-gradients: pith calibrate MODEL -o evidence.gguf',
  );
}
