import { expect, test } from 'vitest';
import { scalarDecoders } from './scalar.ts';
import { tensorTypes } from './kernels.cases.ts';
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
