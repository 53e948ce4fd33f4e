/** Sizes of well-known decoders of llama's kind, and models of them with seeded random F16 weights. */
import { meta } from '../dist/formats/gguf/metadata.js';
import { byteAlphabet } from '../dist/formats/tokenizer/gpt2-vocabulary.js';
import { f32ToF16 } from '../dist/util/half-float.js';

/**
 * @typedef {object} DecoderSize
 * @property {string} name
 * @property {number} layers
 * @property {number} width
 * @property {number} heads
 * @property {number} kvHeads
 * @property {number} ffn
 * @property {number} vocabulary
 * @property {boolean} tied - The embedding is the output matrix too.
 * @property {{ count: number, used: number }} [experts] - Of each block, and those of each token.
 */

/** @type {Readonly<Record<'tinyLlama' | 'smolLM2' | 'llama7B' | 'experts', DecoderSize>>} */
export const decoderSizes = {
  tinyLlama: {
    name: '1.1 B (TinyLlama)',
    layers: 22,
    width: 2048,
    heads: 32,
    kvHeads: 4,
    ffn: 5632,
    vocabulary: 32000,
    tied: false,
  },
  smolLM2: {
    name: '135 M (SmolLM2)',
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    ffn: 1536,
    vocabulary: 49152,
    tied: true,
  },
  llama7B: {
    name: '6.7 B (Llama 7B)',
    layers: 32,
    width: 4096,
    heads: 32,
    kvHeads: 32,
    ffn: 11008,
    vocabulary: 32000,
    tied: false,
  },
  experts: {
    name: '91 M, 8 experts (Mixtral at an eighth)',
    layers: 4,
    width: 512,
    heads: 8,
    kvHeads: 2,
    ffn: 1792,
    vocabulary: 512,
    tied: false,
    experts: { count: 8, used: 2 },
  },
};

/** GGUF keys of such a model, with a tokenizer that makes a token of each byte. */
export function metadataOf({ layers, width, heads, kvHeads, ffn, vocabulary, experts }) {
  return new Map(
    Object.entries({
      'general.architecture': meta.string('llama'),
      'general.name': meta.string('bench'),
      'general.file_type': meta.uint32(1),
      'llama.context_length': meta.uint32(2048),
      'llama.embedding_length': meta.uint32(width),
      'llama.block_count': meta.uint32(layers),
      'llama.feed_forward_length': meta.uint32(ffn),
      'llama.attention.head_count': meta.uint32(heads),
      'llama.attention.head_count_kv': meta.uint32(kvHeads),
      'llama.attention.layer_norm_rms_epsilon': meta.float32(1e-5),
      'llama.rope.freq_base': meta.float32(10000),
      'llama.rope.dimension_count': meta.uint32(width / heads),
      'llama.vocab_size': meta.uint32(vocabulary),
      ...(experts && {
        'llama.expert_count': meta.uint32(experts.count),
        'llama.expert_used_count': meta.uint32(experts.used),
      }),
      'tokenizer.ggml.model': meta.string('gpt2'),
      'tokenizer.ggml.pre': meta.string('gpt-2'),
      'tokenizer.ggml.tokens': meta.strings(tokens(vocabulary)),
      // Not the default of 11, which is a letter here and would end the text early.
      'tokenizer.ggml.eos_token_id': meta.uint32(vocabulary - 1),
      'tokenizer.ggml.merges': meta.strings([]),
    }),
  );
}

/** A letter for each byte, so that any text becomes tokens, then names. */
function tokens(vocabulary) {
  const letters = byteAlphabet();
  return Array.from({ length: vocabulary }, (_, i) => letters[i] ?? `t${i}`);
}

const matrix = (name, ...shape) => ({ name, shape, type: 'F16' });

/** Names, shapes and types of its tensors: matrices F16, norms F32. */
export function tensorInfos(size) {
  const { layers, width, heads, kvHeads, vocabulary, tied } = size;
  const norm = (name) => ({ name, shape: [width], type: 'F32' });
  const kvWidth = (width / heads) * kvHeads;
  const infos = [
    matrix('token_embd.weight', vocabulary, width),
    ...(tied ? [] : [matrix('output.weight', vocabulary, width)]),
    norm('output_norm.weight'),
  ];
  for (let i = 0; i < layers; i++) {
    const at = (name) => `blk.${i}.${name}.weight`;
    infos.push(norm(at('attn_norm')), matrix(at('attn_q'), width, width));
    infos.push(matrix(at('attn_k'), kvWidth, width), matrix(at('attn_v'), kvWidth, width));
    infos.push(matrix(at('attn_output'), width, width), norm(at('ffn_norm')));
    infos.push(...feedForwardInfos(at, size));
  }
  return infos;
}

function feedForwardInfos(at, { width, ffn, experts }) {
  const stack = experts ? [experts.count] : [];
  const part = (name) => at(experts ? `ffn_${name}_exps` : `ffn_${name}`);
  return [
    ...(experts ? [matrix(at('ffn_gate_inp'), experts.count, width)] : []),
    matrix(part('gate'), ...stack, ffn, width),
    matrix(part('up'), ...stack, ffn, width),
    matrix(part('down'), ...stack, width, ffn),
  ];
}

/** 4 M F16 weights: Gaussian times a random scale, so that about 1 in 100 is an outlier. */
export function weightPool() {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  return Uint16Array.from({ length: 1 << 22 }, () => {
    const gauss = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    return f32ToF16(0.02 * gauss * (random() < 0.02 ? 4 : 1));
  });
}

/** Copies `into.length` bytes of the endless repetition of `pool` from byte `from` on. */
export function fillFromPool(pool, from, into) {
  let at = from % pool.length;
  for (let done = 0; done < into.length;) {
    const part = pool.subarray(at, at + into.length - done);
    into.set(part, done);
    done += part.length;
    at = 0;
  }
}

/**
 * A model whose weights are made when they are read: any size, no file.
 *
 * @param {DecoderSize} size
 * @returns {import('../dist/models/model.js').Model}
 */
export function lazyModel(size) {
  const pool = new Uint8Array(weightPool().buffer);
  const tensorOf = ({ name, shape, type }, index) => {
    const rowBytes = shape.at(-1) * (type === 'F16' ? 2 : 4);
    const read = async (first, count, into = new Uint8Array(count * rowBytes)) => {
      const bytes = into.subarray(0, count * rowBytes);
      if (type === 'F16') fillFromPool(pool, 2 * index * 1234567 + first * rowBytes, bytes);
      else bytes.set(new Uint8Array(new Float32Array(bytes.length / 4).fill(1).buffer));
      return bytes;
    };
    return [name, { name, shape, type, read }];
  };
  return {
    source: `random ${size.name}`,
    files: [],
    architecture: 'llama',
    metadata: metadataOf(size),
    tensors: new Map(tensorInfos(size).map(tensorOf)),
    notes: [],
    close: async () => undefined,
  };
}
