import { meta } from '../../formats/gguf/metadata.ts';
import { embeddingNorm, layersWithBias, positionEmbedding } from './encoder-tensors.ts';
import type { Family } from './family.ts';

const layer = 'transformer.layer.{layer}';

/**
 * DistilBERT: BERT without token types. Heads for training and classification are left out.
 *
 * @see DistilBertModel in conversion/bert.py, llama.cpp v0.5.0.
 */
export const distilbert: Family = {
  modelType: 'distilbert',
  architecture: 'bert',
  norm: 'layer',
  positions: 'learned',
  names: {
    hidden_size: 'dim',
    intermediate_size: 'hidden_dim',
    num_hidden_layers: 'n_layers',
    num_attention_heads: 'n_heads',
    hidden_act: 'activation',
  },
  activations: ['gelu'],
  defaults: { rms_norm_eps: 1e-12 },
  storedName: (name) => name.replace(/^distilbert\./, ''),
  ignored: /^(vocab_\w+|pre_classifier|classifier|qa_outputs)\./,
  tensors: [
    { from: 'embeddings.word_embeddings.weight', to: 'token_embd.weight', shape: ['V', 'C'] },
    positionEmbedding,
    ...embeddingNorm,
    ...layersWithBias(layer, [
      ['attention.q_lin', 'attn_q', ['H*D', 'C']],
      ['attention.k_lin', 'attn_k', ['H*D', 'C']],
      ['attention.v_lin', 'attn_v', ['H*D', 'C']],
      ['attention.out_lin', 'attn_output', ['C', 'H*D']],
      ['sa_layer_norm', 'attn_output_norm', ['C']],
      ['ffn.lin1', 'ffn_up', ['F', 'C']],
      ['ffn.lin2', 'ffn_down', ['C', 'F']],
      ['output_layer_norm', 'layer_output_norm', ['C']],
    ]),
  ],
  keys: () => [
    ['attention.causal', meta.bool(false)],
    ['tokenizer.ggml.token_type_count', meta.uint32(1)],
  ],
};
