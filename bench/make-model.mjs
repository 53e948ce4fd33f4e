/**
 * Writes a GGUF of TinyLlama's structure with seeded random F16 weights (heavy-tailed, like trained
 * ones), for benchmarks: node bench/make-model.mjs OUT.gguf [LAYERS] [VOCABULARY]. 22 layers make
 * 1.1 B parameters and a 2.2 GB file; each layer adds 44 M parameters to the 131 M of the embeddings.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { meta } from '../dist/formats/gguf/metadata.js';
import { byteAlphabet } from '../dist/formats/tokenizer/gpt2-vocabulary.js';
import { planGguf } from '../dist/formats/gguf/plan.js';
import { f32ToF16 } from '../dist/util/half-float.js';

const [width, ffn, heads, kvHeads] = [2048, 5632, 32, 4];
const kvWidth = (width / heads) * kvHeads;
const fullSize = { layers: 22, vocabulary: 32000 };

const metadataOf = ({ layers, vocabulary }) =>
  new Map(
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
      'tokenizer.ggml.model': meta.string('gpt2'),
      'tokenizer.ggml.pre': meta.string('gpt-2'),
      'tokenizer.ggml.tokens': meta.strings(tokens(vocabulary)),
      // Not the default of 11, which is a letter here and would end the text early.
      'tokenizer.ggml.eos_token_id': meta.uint32(vocabulary - 1),
      'tokenizer.ggml.merges': meta.strings([]),
    }),
  );

/** A letter for each byte, so that any text becomes tokens, then names. */
function tokens(vocabulary) {
  const letters = byteAlphabet();
  return Array.from({ length: vocabulary }, (_, i) => letters[i] ?? `t${i}`);
}

const norm = (name) => ({ name, shape: [width], type: 'F32' });
const matrix = (name, rows, columns) => ({ name, shape: [rows, columns], type: 'F16' });

function tensorInfos({ layers, vocabulary }) {
  const infos = [
    matrix('token_embd.weight', vocabulary, width),
    matrix('output.weight', vocabulary, width),
    norm('output_norm.weight'),
  ];
  for (let i = 0; i < layers; i++) {
    const at = (name) => `blk.${i}.${name}.weight`;
    infos.push(norm(at('attn_norm')), matrix(at('attn_q'), width, width));
    infos.push(matrix(at('attn_k'), kvWidth, width), matrix(at('attn_v'), kvWidth, width));
    infos.push(matrix(at('attn_output'), width, width), norm(at('ffn_norm')));
    infos.push(matrix(at('ffn_gate'), ffn, width), matrix(at('ffn_up'), ffn, width));
    infos.push(matrix(at('ffn_down'), width, ffn));
  }
  return infos;
}

/** 4 M F16 weights: Gaussian times a random scale, so that about 1 in 100 is an outlier. */
function weightPool() {
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

function writeWeights(file, { byteLength, paddedLength, offset }, pool) {
  const bytes = new Uint8Array(pool.buffer);
  // A start that differs by tensor, so that no two tensors hold the same weights.
  let at = ((offset * 2654435761) % bytes.length) & ~1;
  for (let left = byteLength; left > 0;) {
    const count = Math.min(left, bytes.length - at);
    writeSync(file, bytes, at, count);
    left -= count;
    at = 0;
  }
  writeSync(file, new Uint8Array(paddedLength - byteLength));
}

/**
 * Writes the model, under its name only when it is complete.
 *
 * @param {string} path
 * @param {{ layers: number, vocabulary: number }} size
 */
export function makeModel(path, size = fullSize) {
  const plan = planGguf(metadataOf(size), tensorInfos(size));
  const pool = weightPool();
  const file = openSync(`${path}.partial`, 'w');
  writeSync(file, plan.header);
  for (const tensor of plan.tensors) {
    if (tensor.type === 'F16') writeWeights(file, tensor, pool);
    else {
      writeSync(file, new Float32Array(tensor.byteLength / 4).fill(1));
      writeSync(file, new Uint8Array(tensor.paddedLength - tensor.byteLength));
    }
  }
  closeSync(file);
  renameSync(`${path}.partial`, path);
  return plan;
}

/** The ignored folder of generated files. */
export function cacheFolder() {
  const folder = resolve(import.meta.dirname, '../.cache/bench');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Path of a generated model in the cache; made if it is not there yet. */
export function cachedModel({ layers = fullSize.layers, vocabulary = fullSize.vocabulary } = {}) {
  const path = join(cacheFolder(), `model-${layers}-layers-${vocabulary}-tokens.gguf`);
  if (!existsSync(path)) makeModel(path, { layers, vocabulary });
  return path;
}

if (resolve(process.argv[1]) === import.meta.filename) {
  const [out, layers = fullSize.layers, vocabulary = fullSize.vocabulary] = process.argv.slice(2);
  if (!out) throw new Error('usage: node bench/make-model.mjs OUT.gguf [LAYERS] [VOCABULARY]');
  const plan = makeModel(out, { layers: Number(layers), vocabulary: Number(vocabulary) });
  console.log(`${out}: ${plan.tensors.length} tensors, ${plan.totalBytes} bytes`);
}
