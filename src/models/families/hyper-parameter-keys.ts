import { meta, type MetadataValue } from '../../formats/gguf/metadata.ts';
import type { Family, Key } from './family.ts';
import type { ModelConfig } from './model-config.ts';

/** The GGUF keys of a model's shape: those that every family has, then the family's own. */
export function hyperParameters(
  family: Family,
  config: ModelConfig,
  ropeKeys: readonly Key[],
): Map<string, MetadataValue> {
  const epsilon = family.norm === 'layer' ? 'layer_norm_epsilon' : 'layer_norm_rms_epsilon';
  const keys: readonly Key[] = [
    ['block_count', meta.uint32(config.num_hidden_layers)],
    ['context_length', meta.uint32(config.max_position_embeddings)],
    ['embedding_length', meta.uint32(config.hidden_size)],
    ['feed_forward_length', meta.uint32(config.intermediate_size)],
    ['attention.head_count', meta.uint32(config.num_attention_heads)],
    ['attention.head_count_kv', meta.uint32(config.kvHeads)],
    [`attention.${epsilon}`, meta.float32(config.rms_norm_eps)],
    ['attention.key_length', meta.uint32(config.headWidth)],
    ['attention.value_length', meta.uint32(config.headWidth)],
    ['vocab_size', meta.uint32(config.vocab_size)],
    ...ropeKeys,
    ...(family.keys?.(config) ?? []),
  ];
  const prefixed = (key: string) =>
    key.startsWith('tokenizer.') ? key : `${family.architecture}.${key}`;
  return new Map(keys.map(([key, value]) => [prefixed(key), value]));
}
