import { architectureOf } from '../../models/graph/architectures.ts';
import type { ModelOutline } from '../../models/graph/model-scope.ts';
import { noMoments, type EmbeddingEvidence } from './evidence.ts';
import { addSquares } from './moments.ts';

/** What the embedding's rows got on the way back. */
export class EmbeddingTally {
  readonly #result: EmbeddingEvidence;
  /** What rows are multiplied by, squared. */
  readonly #scale: number;

  constructor(model: ModelOutline) {
    const [vocabulary, width] = model.tensors.get('token_embd.weight')!.shape as [number, number];
    this.#result = { gradients: noMoments(1, width), rows: new Float64Array(vocabulary) };
    this.#scale = architectureOf(model.architecture, 'decoder').scaledEmbedding ? width : 1;
  }

  /** Adds the gradients `[T,C]` by what the embedding gave for `tokens`. */
  add(tokens: Int32Array, gradient: Float32Array): void {
    const { gradients, rows } = this.#result;
    const sums = new Float32Array(gradients.size);
    for (let first = 0; first < gradient.length; first += sums.length)
      for (let at = 0; at < sums.length; at++)
        sums[at]! += this.#scale * gradient[first + at]! ** 2;
    addSquares(gradients, sums, [tokens.length], 'the gradient by the rows of token_embd.weight');
    for (const token of tokens) rows[token]! += 1;
  }

  /** All sums, and all counts. */
  get arrays(): Float64Array[] {
    const { gradients, rows } = this.#result;
    return [gradients.sums, gradients.counts, rows];
  }

  result(): EmbeddingEvidence {
    return this.#result;
  }
}
