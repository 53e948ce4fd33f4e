import { expect, test } from 'vitest';
import { scalarDecoders, scalarKernels } from './scalar.ts';
import { createWasmKernels } from './wasm.ts';
import { tensorTypes } from './kernels.cases.ts';
import { unitOf } from '../tensor/dtypes.ts';
import golden from '../../test/golden/gguf-blocks.json' with { type: 'json' };

const vectors: Record<string, { bytes: string; values: string }> = golden.vectors;
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

test.each(tensorTypes)('%s decodes as its reference reader does, bit for bit', (type) => {
  const vector = vectors[type];
  if (!vector) throw new Error(`test/golden/gguf-blocks.json has no ${type}`);
  const expected = new Float32Array(fromBase64(vector.values).buffer);
  const values = new Float32Array(expected.length);
  scalarDecoders[type](fromBase64(vector.bytes), values);
  expect(values).toEqual(expected);
});

const wasm = await createWasmKernels();

test.each(tensorTypes)('%s decodes in wasm exactly as in the scalar reference', (type) => {
  const bytes = fromBase64(vectors[type]!.bytes);
  const { bytes: unit, weights } = unitOf(type);
  for (const units of [1, 2, 3, 7, 8, 9, 31].filter((units) => units * unit <= bytes.length)) {
    const part = bytes.slice(0, units * unit);
    const values = new Float32Array(units * weights);
    const expected = new Float32Array(units * weights);
    wasm.decode(type, part, values);
    scalarKernels.decode(type, part, expected);
    expect(values, `${units} units`).toEqual(expected);
  }
});
