import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import type { Model } from '../../models/model.ts';
import { measureWeightErrors } from './weight-errors.ts';

const transcoder = inlineTranscoder(scalarKernels);

/** A model of F32 matrices with these rows. */
function modelOf(tensors: Readonly<Record<string, readonly (readonly number[])[]>>): Model {
  const model = fakeModel({ architecture: 'llama', shapes: {} });
  const entries = Object.entries(tensors).map(([name, rows]) => {
    const shape = [rows.length, rows[0]!.length];
    const read = async (first: number, count: number) =>
      new Uint8Array(Float32Array.from(rows.slice(first, first + count).flat()).buffer);
    return [name, { name, shape, type: 'F32' as const, read }] as const;
  });
  return { ...model, tensors: new Map(entries) };
}

const original = modelOf({
  a: [
    [3, 4],
    [0, 0],
  ],
  b: [[1, 2]],
  onlyHere: [[7]],
});

test('an error of 1 in a tensor of norm 5 is 20 %; unchanged tensors do not dilute the total', async () => {
  const candidate = modelOf({
    a: [
      [3, 4],
      [1, 0],
    ],
    b: [[1, 2]],
  });
  expect(await measureWeightErrors(candidate, original, transcoder, {})).toEqual({
    relativeError: 0.2,
    tensors: [
      { name: 'a', type: 'F32', relativeError: 0.2 },
      { name: 'b', type: 'F32', relativeError: 0 },
    ],
  });
});

test('other shapes and other names are refused with both', async () => {
  const wide = modelOf({ b: [[1, 2, 3]] });
  await expect(measureWeightErrors(wide, original, transcoder, {})).rejects.toThrow(
    'b is 1 × 3, and 1 × 2 in the original.',
  );
  const other = modelOf({ c: [[1]] });
  await expect(measureWeightErrors(other, original, transcoder, {})).rejects.toThrow(
    /has no tensor of fake/,
  );
});
