import { withBias } from './decoder-tensors.ts';
import type { Size, TensorRule } from './family.ts';
import { widened } from './tensor-views.ts';

/** The embedding of a token's place. */
export const positionEmbedding: TensorRule = {
  from: 'embeddings.position_embeddings.weight',
  to: 'position_embd.weight',
  shape: ['P', 'C'],
  view: widened,
};

/** The embedding of the sentence that a token belongs to. */
export const tokenTypes: TensorRule = {
  from: 'embeddings.token_type_embeddings.weight',
  to: 'token_types.weight',
  shape: ['T', 'C'],
  view: widened,
};

/** The norm over the sum of embeddings. */
export const embeddingNorm = withBias({
  from: 'embeddings.LayerNorm',
  to: 'token_embd_norm',
  shape: ['C'],
});

/** Matrices and norms of each layer with their biases: names inside a layer, there and in GGUF. */
export function layersWithBias(
  layer: string,
  parts: readonly (readonly [from: string, to: string, shape: readonly Size[]])[],
): readonly TensorRule[] {
  return parts.flatMap(([from, to, shape]) =>
    withBias({ from: `${layer}.${from}`, to: `blk.{layer}.${to}`, shape }),
  );
}
