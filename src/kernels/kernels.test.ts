import { expect, test } from 'vitest';
import { importanceCases, shapes, valueCases } from './kernels.cases.ts';
import { encodableTypes, type EncodableType, type Kernels } from './kernels.ts';
import { scalarEncoders, scalarKernels } from './scalar.ts';
import { createWasmKernels } from './wasm.ts';
import { blockTypes, rowBytes } from '../tensor/block-types.ts';

const wasm = await createWasmKernels();
const types = encodableTypes.filter((type) => type in scalarEncoders);

function encoded(
  kernels: Kernels,
  type: EncodableType,
  values: Float32Array,
  columns: number,
  importance?: Float32Array,
) {
  const out = new Uint8Array(rowBytes(type, columns)! * (values.length / columns));
  const error = kernels.encode(type, values, columns, out, importance);
  return { error, hex: Buffer.from(out).toString('hex') };
}

test.each(types)('%s is encoded by wasm exactly as by the scalar reference', (type) => {
  for (const { rows, blocks } of shapes) {
    const columns = blocks * blockTypes[type].weights;
    for (const weights of valueCases) {
      const values = weights.make(rows * columns);
      for (const importance of [undefined, ...importanceCases]) {
        const columnWeights = importance?.make(columns);
        expect(
          encoded(wasm, type, values, columns, columnWeights),
          `${rows} × ${columns}, ${weights.label}, ${importance?.label}`,
        ).toEqual(encoded(scalarKernels, type, values, columns, columnWeights));
      }
    }
  }
});
