import type { Family, Size } from './family.ts';
import type { ModelConfig } from './model-config.ts';

/** The sizes of one model by name. */
export type Sizes = Readonly<Partial<Record<Size, number>>>;

/** The sizes that this configuration makes. */
export function sizesOf(family: Family, config: ModelConfig): Sizes {
  const { num_attention_heads: heads, kvHeads, headWidth, intermediate_size: inner } = config;
  return {
    C: config.hidden_size,
    D: headWidth,
    H: heads,
    K: kvHeads,
    'H*D': heads * headWidth,
    'K*D': kvHeads * headWidth,
    '(H+2*K)*D': (heads + 2 * kvHeads) * headWidth,
    F: inner,
    '2*F': 2 * inner,
    V: config.vocab_size,
    P: config.max_position_embeddings,
    '1': 1,
    ...family.sizes?.(config),
  };
}
