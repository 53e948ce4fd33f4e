import { z } from 'zod';
import { meta } from '../../formats/gguf/metadata.ts';
import { embeddingNorm, layersWithBias, positionEmbedding, tokenTypes } from './encoder-tensors.ts';
import type { ConfigOf, Family } from './family.ts';
import { size } from './model-config.ts';

const own = {
  type_vocab_size: size,
  position_embedding_type: z.string().nullish(),
  is_decoder: z.boolean().nullish(),
};
const layer = 'encoder.layer.{layer}';

/**
 * BERT and what is built like it: MiniLM, BGE, E5 and other sentence embeddings. Heads for training
 * and classification are left out.
 *
 * @see BertModel in conversion/bert.py, llama.cpp v0.5.0.
 */
export const bert: Family<ConfigOf<typeof own>> = {
  modelType: 'bert',
  architecture: 'bert',
  own,
  norm: 'layer',
  positions: 'learned',
  names: { rms_norm_eps: 'layer_norm_eps' },
  activations: ['gelu'],
  defaults: { rms_norm_eps: 1e-12, type_vocab_size: 2 },
  // Names of 2018 call weight and bias of a norm gamma and beta.
  storedName: (name) =>
    name
      .replace(/^bert\./, '')
      .replace(/\.gamma$/, '.weight')
      .replace(/\.beta$/, '.bias'),
  ignored: /^(pooler|cls|classifier)\./,
  sizes: (config) => ({ T: config.type_vocab_size }),
  tensors: [
    { from: 'embeddings.word_embeddings.weight', to: 'token_embd.weight', shape: ['V', 'C'] },
    positionEmbedding,
    tokenTypes,
    ...embeddingNorm,
    ...layersWithBias(layer, [
      ['attention.self.query', 'attn_q', ['H*D', 'C']],
      ['attention.self.key', 'attn_k', ['H*D', 'C']],
      ['attention.self.value', 'attn_v', ['H*D', 'C']],
      ['attention.output.dense', 'attn_output', ['C', 'H*D']],
      ['attention.output.LayerNorm', 'attn_output_norm', ['C']],
      ['intermediate.dense', 'ffn_up', ['F', 'C']],
      ['output.dense', 'ffn_down', ['C', 'F']],
      ['output.LayerNorm', 'layer_output_norm', ['C']],
    ]),
  ],
  keys: (config) => [
    ['attention.causal', meta.bool(false)],
    ['tokenizer.ggml.token_type_count', meta.uint32(config.type_vocab_size)],
  ],
  unsupported: ({ position_embedding_type: positions, is_decoder: isDecoder }) => {
    if (isDecoder) return 'attention to earlier tokens only';
    return (positions ?? 'absolute') === 'absolute' ? undefined : `${positions} positions`;
  },
};
