import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import { withBias } from './decoder-tensors.ts';
import { embeddingNorm, layersWithBias, positionEmbedding, tokenTypes } from './encoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';
import { count, size } from './model-config.ts';

const own = {
  type_vocab_size: size,
  embedding_size: size,
  intra_bottleneck_size: size,
  num_feedforward_networks: count,
  use_bottleneck: z.boolean(),
  use_bottleneck_attention: z.boolean(),
  key_query_shared_bottleneck: z.boolean(),
  trigram_input: z.boolean(),
  normalization_type: z.string(),
};
const layer = 'encoder.layer.{layer}';

/** Only the published structure is known: what `defaults` says about it. */
const structure = {
  use_bottleneck: true,
  use_bottleneck_attention: false,
  key_query_shared_bottleneck: true,
  trigram_input: true,
  normalization_type: 'no_norm',
} as const;

/**
 * MobileBERT: layers that narrow to a bottleneck of B, with several feed-forward parts in it; norms
 * are weight and bias alone, and each token's narrow embedding is seen with its two neighbours'.
 *
 * llama.cpp has no such architecture: names follow its style, and only ONNX Runtime runs the model.
 *
 * @see Sun et al. 2020, arXiv:2004.02984; transformers modeling_mobilebert.py.
 */
export const mobilebert: Family<ConfigOf<typeof own>> = {
  modelType: 'mobilebert',
  architecture: 'mobilebert',
  own,
  norm: 'layer',
  positions: 'learned',
  attentionWidth: 'intra_bottleneck_size',
  names: { rms_norm_eps: 'layer_norm_eps' },
  activations: ['relu'],
  defaults: {
    rms_norm_eps: 1e-12,
    type_vocab_size: 2,
    embedding_size: 128,
    intra_bottleneck_size: 128,
    num_feedforward_networks: 4,
    ...structure,
  },
  storedName: (name) => name.replace(/^mobilebert\./, ''),
  ignored: /^(pooler|cls|classifier|qa_outputs)\./,
  sizes: (config) => ({
    T: config.type_vocab_size,
    A: config.embedding_size,
    '3*A': 3 * config.embedding_size,
    B: config.intra_bottleneck_size,
    N: config.num_feedforward_networks - 1,
  }),
  tensors: [
    { from: 'embeddings.word_embeddings.weight', to: 'token_embd.weight', shape: ['V', 'A'] },
    ...withBias({
      from: 'embeddings.embedding_transformation',
      to: 'token_embd_proj',
      shape: ['C', '3*A'],
    }),
    positionEmbedding,
    tokenTypes,
    ...embeddingNorm,
    ...layersWithBias(layer, [
      ['bottleneck.input.dense', 'bottleneck_in', ['B', 'C']],
      ['bottleneck.input.LayerNorm', 'bottleneck_in_norm', ['B']],
      ['bottleneck.attention.dense', 'bottleneck_attn', ['B', 'C']],
      ['bottleneck.attention.LayerNorm', 'bottleneck_attn_norm', ['B']],
      ['attention.self.query', 'attn_q', ['H*D', 'B']],
      ['attention.self.key', 'attn_k', ['H*D', 'B']],
      ['attention.self.value', 'attn_v', ['H*D', 'C']],
      ['attention.output.dense', 'attn_output', ['B', 'H*D']],
      ['attention.output.LayerNorm', 'attn_output_norm', ['B']],
      ['ffn.{N}.intermediate.dense', 'ffn_up_{N}', ['F', 'B']],
      ['ffn.{N}.output.dense', 'ffn_down_{N}', ['B', 'F']],
      ['ffn.{N}.output.LayerNorm', 'ffn_norm_{N}', ['B']],
      ['intermediate.dense', 'ffn_up', ['F', 'B']],
      ['output.dense', 'ffn_down', ['B', 'F']],
      ['output.LayerNorm', 'ffn_norm', ['B']],
      ['output.bottleneck.dense', 'bottleneck_out', ['C', 'B']],
      ['output.bottleneck.LayerNorm', 'layer_output_norm', ['C']],
    ]),
  ],
  keys: (config) => [
    ['attention.causal', meta.bool(false)],
    ['token_embedding_length', meta.uint32(config.embedding_size)],
    ['bottleneck_length', meta.uint32(config.intra_bottleneck_size)],
    ['feed_forward_count', meta.uint32(config.num_feedforward_networks)],
    ['tokenizer.ggml.token_type_count', meta.uint32(config.type_vocab_size)],
  ],
  unsupported: (config) => {
    const names = Object.keys(structure) as (keyof typeof structure)[];
    const other = names.find((name) => config[name] !== structure[name]);
    return other && `${other} ${config[other]}, where Pith knows ${structure[other]}`;
  },
  notes: () => ['llama.cpp has no architecture for MobileBERT: only ONNX Runtime runs the model.'],
};
