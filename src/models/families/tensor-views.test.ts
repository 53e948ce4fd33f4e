import { expect, test } from 'vitest';
import type { Tensor } from '../../tensor/tensor.ts';
import { f32ToF16 } from '../../util/half-float.ts';
import { plusOne, stacked, widened } from './tensor-views.ts';
import { transposedWithin } from './transposed.ts';

/** A matrix of 16-bit numbers that counts what is read of it. */
function counted(shape: readonly number[], values: readonly number[], type: 'F16' | 'I16' = 'I16') {
  const bytes = new Uint8Array(Uint16Array.from(values).buffer);
  const rowBytes = 2 * shape.at(-1)!;
  const reads: [first: number, count: number][] = [];
  const tensor: Tensor = {
    name: 'm',
    shape,
    type,
    read: (first, count) => {
      reads.push([first, count]);
      return Promise.resolve(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    },
  };
  return { tensor, reads };
}

const range = (count: number, from = 0) => Array.from({ length: count }, (_, at) => from + at);
const floats = async (view: Tensor) => [
  ...new Float32Array((await view.read(0, 1)).slice().buffer),
];
const words = (bytes: Uint8Array) => [...new Uint16Array(bytes.slice().buffer)];

test('rows of a transposed 7 × 5 matrix, in any slabs, are the columns of the stored one', async () => {
  for (const stripeBytes of [1, 30, 1000]) {
    const { tensor } = counted([7, 5], range(35));
    const view = transposedWithin(tensor, { stripeBytes, chunkBytes: 25 });
    expect(view.shape).toEqual([5, 7]);
    for (let first = 0; first < 5; first++) {
      for (let count = 0; first + count <= 5; count++) {
        const expected = range(count, first).flatMap((column) =>
          range(7).map((r) => 5 * r + column),
        );
        expect(words(await view.read(first, count))).toEqual(expected);
      }
    }
  }
});

test('a reader that goes through a transposed matrix causes one pass a stripe, in bounded reads', async () => {
  const { tensor, reads } = counted([8, 6], range(48));
  // A stripe of two rows of 8, a chunk of three rows of 6.
  const view = transposedWithin(tensor, { stripeBytes: 32, chunkBytes: 36 });
  await Promise.all(range(6).map((row) => view.read(row, 1)));
  const pass = [
    [0, 3],
    [3, 3],
    [6, 2],
  ];
  expect(reads.toSorted(([a], [b]) => a - b)).toEqual(
    [...pass, ...pass, ...pass].toSorted(([a], [b]) => a! - b!),
  );
});

test('a stack of 3 matrices reads as one, also across their borders and into given memory', async () => {
  const parts = range(3).map((part) => counted([2, 2], range(4, 4 * part)).tensor);
  const stack = stacked(parts, 'stack');
  expect([stack.name, stack.shape]).toEqual(['stack', [3, 2, 2]]);
  for (let first = 0; first < 6; first++) {
    for (let count = 1; first + count <= 6; count++) {
      const memory = new Uint8Array(24);
      const expected = range(2 * count, 2 * first);
      expect(words(await stack.read(first, count))).toEqual(expected);
      expect(words(await stack.read(first, count, memory))).toEqual(expected);
    }
  }
});

test('parts of different types make no stack', () => {
  const parts = [counted([1, 2], [0, 0]).tensor, counted([1, 2], [0, 0], 'F16').tensor];
  expect(() => stacked(parts, 'stack')).toThrow(/stored in different types/);
});

test('1 is added to norm weights in F32: 1 + 2^-11 stays apart from 1, unlike in F16', async () => {
  const { tensor } = counted([2], [f32ToF16(2 ** -11), f32ToF16(-0.25)], 'F16');
  expect(plusOne(tensor).type).toBe('F32');
  expect(await floats(plusOne(tensor))).toEqual([1 + 2 ** -11, 0.75]);
  expect(await floats(widened(tensor))).toEqual([2 ** -11, -0.25]);
  expect(() => plusOne(counted([2], [0, 0]).tensor)).toThrow(/stored as I16/);
});
