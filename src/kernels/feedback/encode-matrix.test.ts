import { expect, test } from 'vitest';
import { blockTypes } from '../../tensor/block-types.ts';
import { seededRandom } from '../../util/random.ts';
import { encodableTypes, type EncodableType } from '../kernels.ts';
import { inverseFactor } from '../linear-algebra/cholesky.ts';
import { scalarKernels } from '../scalar.ts';
import { encodeMatrix } from './encode-matrix.ts';
import type { Factors } from './factors.ts';
import { gridOf } from './grids.ts';

const types = encodableTypes.filter((type) => gridOf(type) !== undefined);
const random = seededRandom(7);

/** Neighbours correlate by ρ^distance, and column j weighs 1 + j mod 5: positive definite. */
function correlated(size: number, rho: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    return rho ** Math.abs(i - j) * Math.sqrt((1 + (i % 5)) * (1 + (j % 5)));
  });
}

function factorsOf(matrix: Float64Array, size: number): Factors {
  const result = inverseFactor(matrix, size, { damping: 0 });
  if (!result.ok) throw new Error(result.reason);
  return { blockSize: size, values: Float32Array.from(result.factor) };
}

const randomWeights = (count: number) =>
  Float32Array.from({ length: count }, () => 0.02 * random.normal());

function encoded(type: EncodableType, values: Float32Array, columns: number, plain?: Float32Array) {
  const { weights, bytes } = blockTypes[type];
  const out = new Uint8Array((values.length / weights) * bytes);
  if (plain) scalarKernels.encode(type, values, columns, out, plain);
  return out;
}

function decoded(type: EncodableType, bytes: Uint8Array): Float32Array {
  const { weights, bytes: size } = blockTypes[type];
  const values = new Float32Array((bytes.length / size) * weights);
  scalarKernels.decode(type, bytes, values);
  return values;
}

/** tr(G Δ H Δᵀ) in f64. */
function coupledError(
  difference: Float64Array,
  { h, g }: { h: Float64Array; g: Float64Array },
): number {
  const columns = Math.sqrt(h.length);
  const rows = Math.sqrt(g.length);
  const dh = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < columns; k++)
      for (let j = 0; j < columns; j++)
        dh[r * columns + j]! += difference[r * columns + k]! * h[k * columns + j]!;
  let sum = 0;
  for (let a = 0; a < rows; a++)
    for (let b = 0; b < rows; b++)
      for (let j = 0; j < columns; j++)
        sum += g[a * rows + b]! * dh[a * columns + j]! * difference[b * columns + j]!;
  return sum;
}

const minus = (a: Float32Array, b: Float32Array) => Float64Array.from(a, (x, at) => x - b[at]!);

test.each(types)(
  '%s: the coupled error is tr(GΔHΔᵀ), and at least 30 %% below rounding',
  (type) => {
    const [rows, columns] = [6, 256];
    const h = correlated(columns, 0.9);
    const g = correlated(rows, 0.8);
    const values = randomWeights(rows * columns);
    const out = encoded(type, values, columns);
    const matrix = { type, columns, values };
    const [columnFactors, rowFactors] = [factorsOf(h, columns), factorsOf(g, rows)];
    const error = encodeMatrix(scalarKernels, { ...matrix, columnFactors, rowFactors }, out);
    const difference = minus(values, decoded(type, out));
    const expected = coupledError(difference, { h, g });
    expect(error.coupledError / expected).toBeCloseTo(1, 3);
    const squares = difference.reduce((sum, x) => sum + x * x, 0);
    expect(error.squaredError / squares).toBeCloseTo(1, 4);
    const importance = Float32Array.from({ length: columns }, (_, j) => h[j * columns + j]!);
    const plain = decoded(type, encoded(type, values, columns, importance));
    expect(expected).toBeLessThan(0.7 * coupledError(minus(values, plain), { h, g }));
  },
);

test('Q8_0 with one scale: every code is the nearest to the optimum given those before it (f64)', () => {
  const columns = 32;
  const h = correlated(columns, 0.95);
  const values = randomWeights(columns);
  const out = encoded('Q8_0', values, columns);
  const columnFactors = factorsOf(h, columns);
  encodeMatrix(scalarKernels, { type: 'Q8_0', columns, values, columnFactors }, out);
  const result = decoded('Q8_0', out);
  const step = Math.abs(stepOf(out));
  for (let j = 0; j < columns; j++) {
    const optimum = conditionalOptimum(h, { values, result, at: j });
    expect(Math.abs(result[j]! - optimum)).toBeLessThan(0.5001 * step);
  }
});

function stepOf(bytes: Uint8Array): number {
  const values = decoded('Q8_0', bytes);
  const code = new Int8Array(bytes.buffer, 2, 32);
  const at = code.findIndex((c) => c !== 0);
  return values[at]! / code[at]!;
}

/** The best value of weight `at` when those after it are free and those before it are fixed: eliminates the free ones. */
function conditionalOptimum(
  h: Float64Array,
  { values, result, at }: { values: Float32Array; result: Float32Array; at: number },
): number {
  const n = Math.sqrt(h.length);
  // Minimise over the errors x of weights at … n − 1: H_ff x = −H_fd Δ_d, by Gauss-Jordan elimination.
  const free = Array.from({ length: n - at }, (_, i) => at + i);
  const rows = free.map((i) => {
    let right = 0;
    for (let k = 0; k < at; k++) right -= h[i * n + k]! * (values[k]! - result[k]!);
    return [...free.map((j) => h[i * n + j]!), right];
  });
  for (let p = 0; p < rows.length; p++) {
    const pivot = rows[p]![p]!;
    rows[p] = rows[p]!.map((x) => x / pivot);
    for (let i = 0; i < rows.length; i++) {
      if (i === p) continue;
      const factor = rows[i]![p]!;
      rows[i] = rows[i]!.map((x, j) => x - factor * rows[p]![j]!);
    }
  }
  return values[at]! - rows[0]!.at(-1)!;
}

const twice = ({ blockSize, values }: Factors) => ({
  blockSize,
  values: Float32Array.from([...values, ...values]),
});

test('blocks on the diagonals are matrices of their own', () => {
  const values = randomWeights(4 * 512);
  const h = correlated(256, 0.9);
  const g = correlated(2, 0.7);
  const [one, two] = [factorsOf(h, 256), factorsOf(g, 2)];
  const type = 'Q4_K';
  const out = encoded(type, values, 512);
  const couplings = { columnFactors: twice(one), rowFactors: twice(two) };
  encodeMatrix(scalarKernels, { type, columns: 512, values, ...couplings }, out);
  const [all, part] = [decoded(type, out), new Float32Array(2 * 256)];
  for (const row of [0, 1])
    part.set(values.subarray((2 + row) * 512 + 256, (3 + row) * 512), row * 256);
  const alone = encoded(type, part, 256);
  const own = { columnFactors: one, rowFactors: two };
  encodeMatrix(scalarKernels, { type, columns: 256, values: part, ...own }, alone);
  for (const row of [0, 1])
    expect(all.subarray((2 + row) * 512 + 256, (3 + row) * 512)).toEqual(
      decoded(type, alone).subarray(row * 256, (row + 1) * 256),
    );
});

test.each(['F16', 'TQ2_0'] as const)('%s has no codes to feed errors into', (type) => {
  const columnFactors = factorsOf(correlated(256, 0.5), 256);
  const matrix = { type, columns: 256, values: new Float32Array(256), columnFactors };
  expect(() => encodeMatrix(scalarKernels, matrix, new Uint8Array(512))).toThrow(/no codes/);
});
