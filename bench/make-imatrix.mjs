/**
 * Writes a seeded importance matrix for a generated model, which has no text to measure one on:
 * a log-normal value for each input column, as spread as those of trained models.
 */
import { writeFileSync } from 'node:fs';
import { meta } from '../dist/formats/gguf/metadata.js';
import { planGguf } from '../dist/formats/gguf/plan.js';
import { columnsOf } from '../dist/tensor/tensor.js';

/**
 * @param {string} path
 * @param {Iterable<import('../dist/tensor/tensor.js').Tensor>} tensors - Matrices of blocks get an entry.
 */
export function makeImatrix(path, tensors) {
  const matrices = [...tensors].filter(
    ({ name, shape }) => name.startsWith('blk.') && shape.length > 1,
  );
  const infos = matrices.flatMap(({ name, shape }) => [
    { name: `${name}.in_sum2`, shape: [1, columnsOf(shape)], type: 'F32' },
    { name: `${name}.counts`, shape: [1, 1], type: 'F32' },
  ]);
  const metadata = new Map([
    ['general.type', meta.string('imatrix')],
    ['imatrix.datasets', meta.strings(['seeded'])],
    ['imatrix.chunk_count', meta.uint32(1)],
    ['imatrix.chunk_size', meta.uint32(512)],
  ]);
  const plan = planGguf(metadata, infos);
  const bytes = new Uint8Array(plan.totalBytes);
  bytes.set(plan.header);
  const random = gaussian(1);
  for (const { name, offset, byteLength } of plan.tensors) {
    const counts = name.endsWith('.counts');
    const values = Float32Array.from({ length: byteLength / 4 }, () =>
      counts ? 1 : Math.exp(random()),
    );
    bytes.set(new Uint8Array(values.buffer), offset);
  }
  writeFileSync(path, bytes);
}

function gaussian(seed) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
