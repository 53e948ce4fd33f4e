/**
 * Writes a GGUF of TinyLlama's structure with seeded random F16 weights (heavy-tailed, like trained
 * ones), for benchmarks: node bench/make-model.mjs OUT.gguf [LAYERS] [VOCABULARY]. 22 layers make
 * 1.1 B parameters and a 2.2 GB file; each layer adds 44 M parameters to the 131 M of the embeddings.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { planGguf } from '../dist/formats/gguf/plan.js';
import { decoderSizes, metadataOf, tensorInfos, weightPool } from './decoder-shapes.mjs';

const fullSize = decoderSizes.tinyLlama;

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
 * @param {Partial<import('./decoder-shapes.mjs').DecoderSize>} changes - Beside TinyLlama's size.
 */
export function makeModel(path, changes = {}) {
  const size = { ...fullSize, ...changes };
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

/**
 * Path of a generated model in the cache; made if it is not there yet.
 *
 * @param {Partial<import('./decoder-shapes.mjs').DecoderSize>} changes - Beside TinyLlama's size.
 */
export function cachedModel(changes = {}) {
  const { layers, width, heads, kvHeads, ffn, vocabulary } = { ...fullSize, ...changes };
  const shape = [layers, width, heads, kvHeads, ffn, vocabulary].join('-');
  const path = join(cacheFolder(), `model-${shape}.gguf`);
  if (!existsSync(path)) makeModel(path, changes);
  return path;
}

if (resolve(process.argv[1]) === import.meta.filename) {
  const [out, layers = fullSize.layers, vocabulary = fullSize.vocabulary] = process.argv.slice(2);
  if (!out) throw new Error('usage: node bench/make-model.mjs OUT.gguf [LAYERS] [VOCABULARY]');
  const plan = makeModel(out, { layers: Number(layers), vocabulary: Number(vocabulary) });
  console.log(`${out}: ${plan.tensors.length} tensors, ${plan.totalBytes} bytes`);
}
