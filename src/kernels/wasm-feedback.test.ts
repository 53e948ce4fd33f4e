import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockTypes } from '../tensor/block-types.ts';
import { seededRandom } from '../util/random.ts';
import { encodeMatrix, type CoupledMatrix } from './feedback/encode-matrix.ts';
import { factorBlock } from './feedback/factor-block.ts';
import { gridOf } from './feedback/grids.ts';
import { encodableTypes, type Kernels } from './kernels.ts';
import type { Area } from './linear-algebra/products.ts';
import { scalarKernels } from './scalar.ts';
import { createWasmKernels } from './wasm.ts';

const wasm = await createWasmKernels();
const types = encodableTypes.filter((type) => gridOf(type) !== undefined);
const random = seededRandom(11);
const numbers = (length: number) => Float32Array.from({ length }, () => random.normal());

/** Upper triangles for the blocks of `length` indices, diagonals around 1. */
function factorsOf(length: number, blockSize: number) {
  const values = new Float32Array(Math.ceil(length / blockSize) * blockSize ** 2);
  for (let at = 0; at < values.length; at++) {
    const [i, j] = [Math.floor(at / blockSize) % blockSize, at % blockSize];
    if (i === j) values[at] = 1 + 0.2 * Math.abs(random.normal());
    if (i < j) values[at] = (0.3 * random.normal()) / (j - i);
  }
  return { blockSize, values };
}

function encoded(kernels: Kernels, matrix: CoupledMatrix) {
  const { weights, bytes } = blockTypes[matrix.type];
  const out = new Uint8Array((matrix.values.length / weights) * bytes);
  const error = encodeMatrix(kernels, matrix, out);
  return { error, hex: Buffer.from(out).toString('hex') };
}

/** Blocks of columns of two tiles (the second smaller where blocks allow) and of less; of rows, three and one. */
function sizesFor(weights: number) {
  return weights === 32 ? { columns: 352, blockSize: 288 } : { columns: 768, blockSize: 512 };
}

test.each(types)(
  '%s is encoded with feedback by wasm as by the plain loops, bit for bit',
  (type) => {
    const { columns, blockSize } = sizesFor(blockTypes[type].weights);
    const rows = 4;
    const values = numbers(rows * columns);
    values.fill(0, columns, columns + 256);
    const matrix = { type, columns, values, columnFactors: factorsOf(columns, blockSize) };
    const coupled = { ...matrix, rowFactors: factorsOf(rows, 3) };
    for (const each of [matrix, coupled])
      expect(encoded(wasm, each)).toEqual(encoded(scalarKernels, each));
  },
);

test('260 independent rows, more than are worked on at a time, are encoded alike', () => {
  const columnFactors = factorsOf(64, 64);
  const matrix = { type: 'Q4_0', columns: 64, values: numbers(260 * 64), columnFactors } as const;
  expect(encoded(wasm, matrix)).toEqual(encoded(scalarKernels, matrix));
});

/** A matrix of the size asked for within an array that is larger, beginning at the third number. */
function areaIn(
  kind: typeof Float32Array | typeof Float64Array,
  [rows, columns]: readonly [number, number],
  transposed = false,
): Area<Float32Array | Float64Array> {
  const stride = (transposed ? rows : columns) + 3;
  const length = 2 + stride * (transposed ? columns : rows);
  const values = new kind(length);
  for (let at = 0; at < length; at++) values[at] = random.normal();
  return { values, at: 2, stride, transposed };
}

const hexOf = ({ values }: Area<Float32Array | Float64Array>) =>
  Buffer.from(values.buffer).toString('hex');

test('a matrix of 200 columns, more than are factored at a time, is factored alike', () => {
  const size = 200;
  const matrix = Float32Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return 0.9 ** Math.abs(i - j) * (1 + (i % 3)) * (1 + (j % 3));
  });
  const [out, expected] = [new Float32Array(size * size), new Float32Array(size * size)];
  expect(factorBlock(wasm, { matrix, size, scale: 0.5, out })).toEqual({ ok: true, damping: 0.01 });
  factorBlock(scalarKernels, { matrix, size, scale: 0.5, out: expected });
  expect(Buffer.compare(Buffer.from(out.buffer), Buffer.from(expected.buffer))).toBe(0);
});

interface Shape {
  rows: number;
  columns: number;
  depth: number;
  isSingle: boolean;
  leftTransposed: boolean;
  rightTransposed: boolean;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  rows: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(67)),
  columns: fc.integer({ min: 1, max: 35 }),
  depth: fc.integer({ min: 1, max: 20 }),
  isSingle: fc.boolean(),
  leftTransposed: fc.boolean(),
  rightTransposed: fc.boolean(),
});

test('products of any shape, f32 and f64, transposed or not, are subtracted alike', () => {
  const check = ({ rows, columns, depth, ...kinds }: Shape) => {
    const kind = kinds.isSingle ? Float32Array : Float64Array;
    const target = areaIn(kind, [rows, columns]);
    const left = areaIn(kind, [rows, depth], kinds.leftTransposed);
    const right = areaIn(kind, [depth, columns], kinds.rightTransposed);
    const expected = { ...target, values: target.values.slice() };
    scalarKernels.feedback.subtractProducts({
      rows,
      columns,
      depth,
      target: expected,
      left,
      right,
    });
    wasm.feedback.subtractProducts({ rows, columns, depth, target, left, right });
    expect(hexOf(target)).toBe(hexOf(expected));
  };
  const kinds = { isSingle: true, leftTransposed: false, rightTransposed: false };
  // More than the 64 rows, 1024 columns and 256 products that are worked on at a time.
  const large = { rows: 66, columns: 1029, depth: 3, ...kinds };
  const deep = { rows: 3, columns: 5, depth: 515, ...kinds };
  const examples: [Shape][] = [[large], [deep]];
  fc.assert(fc.property(shapes, check), { numRuns: 60, examples });
});
