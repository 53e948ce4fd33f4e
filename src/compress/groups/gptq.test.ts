import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import { prepareFeedback } from './feedback.ts';
import type { InputProducts } from './feedback.ts';
import { codeOf, fitGroup } from './fit-group.ts';
import { gptqGroups } from './gptq.ts';
import { groupValues, type GroupGrid } from './group-codes.ts';
import { roundToNearest } from './round-to-nearest.ts';

/** Correlated inputs of very different sizes, `[tokens, columns]`. */
function inputsOf(tokens: number, columns: number): Float64Array {
  const random = seededRandom(11);
  const sizes = Float64Array.from({ length: columns }, () => Math.exp(random.normal() / 2));
  const inputs = new Float64Array(tokens * columns);
  for (let token = 0; token < tokens; token++) {
    let drift = random.normal();
    for (let column = 0; column < columns; column++) {
      drift = 0.8 * drift + 0.6 * random.normal();
      inputs[token * columns + column] = sizes[column]! * drift;
    }
  }
  return inputs;
}

function hessianOf(inputs: Float64Array, columns: number, blockSize: number): InputProducts {
  const blocks = Math.ceil(columns / blockSize);
  const sums = new Float64Array(blocks * blockSize * blockSize);
  for (let from = 0; from < inputs.length; from += columns) {
    for (let i = 0; i < columns; i++) {
      const block = Math.floor(i / blockSize) * blockSize;
      for (let j = block; j < Math.min(block + blockSize, columns); j++)
        sums[i * blockSize + j - block]! += inputs[from + i]! * inputs[from + j]!;
    }
  }
  return { columns, blockSize, sums };
}

function gaussians(count: number): Float32Array {
  const random = seededRandom(5);
  return Float32Array.from({ length: count }, () => random.normal());
}

/**
 * Row k of the inverse of H + 1 % of its mean diagonal without the columns before the k-th in `order`, for every k:
 * by Gauss-Jordan elimination, then by eliminating one column after the other from the inverse itself.
 */
function inverseRows(
  { sums, blockSize: n }: InputProducts,
  order: readonly number[],
): Float64Array[] {
  const mean = order.reduce((sum, at) => sum + sums[at * n + at]!, 0) / n;
  const inverse = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [order[Math.floor(at / n)]!, order[at % n]!];
    return sums[i * n + j]! + (i === j ? 0.01 * mean : 0);
  });
  for (let k = 0; k < n; k++) {
    const pivot = inverse[k * n + k]!;
    inverse[k * n + k] = 1;
    for (let j = 0; j < n; j++) inverse[k * n + j]! /= pivot;
    for (let i = 0; i < n; i++) {
      const factor = inverse[i * n + k]!;
      if (i === k) continue;
      inverse[i * n + k] = 0;
      for (let j = 0; j < n; j++) inverse[i * n + j]! -= factor * inverse[k * n + j]!;
    }
  }
  return Array.from({ length: n }, (_, k) => {
    const row = inverse.slice(k * n, k * n + n);
    for (let i = k + 1; i < n; i++) {
      const factor = inverse[i * n + k]! / row[k]!;
      for (let j = k + 1; j < n; j++) inverse[i * n + j]! -= factor * row[j]!;
    }
    return row;
  });
}

/**
 * Optimal brain quantization in a fixed order: each column's error is spread by the inverse of the Hessian of the
 * columns that are left, which is made from the one before by elimination. No Cholesky factor.
 */
function byElimination(
  values: Float32Array,
  hessian: InputProducts,
  { grid, order }: { grid: GroupGrid; order: 'natural' | 'activations' },
): number[] {
  const n = hessian.blockSize;
  const size = grid.groupSize === 'channel' ? n : grid.groupSize;
  const diagonal = Float64Array.from({ length: n }, (_, at) => hessian.sums[at * n + at]!);
  const isStatic = order === 'activations' || size >= n;
  const columns = Array.from({ length: n }, (_, at) => at);
  if (order === 'activations') columns.sort((a, b) => diagonal[b]! - diagonal[a]!);
  const rows = inverseRows(hessian, columns);
  // 1 / U_jj² of the factor is 1 / (H⁻¹)_jj when the columns before j are gone.
  const costs = Float64Array.from(rows, (inverse, k) => 1 / inverse[k]!);
  const codes = Array.from({ length: values.length }, () => 0);
  for (let row = 0; row < values.length; row += n) {
    const w = Float64Array.from(values.subarray(row, row + n));
    const fits = new Map<number, ReturnType<typeof fitGroup>>();
    const fit = (group: number, weights: Float64Array) => {
      const [from, to] = [group * size, (group + 1) * size];
      fits.set(group, fitGroup(w.subarray(from, to), weights.subarray(from, to), grid));
    };
    if (isStatic) for (let group = 0; group * size < n; group++) fit(group, diagonal);
    for (const [k, column] of columns.entries()) {
      const group = Math.floor(column / size);
      if (!isStatic && column % size === 0) fit(group, costs);
      const { scale, zeroPoint } = fits.get(group)!;
      const code = codeOf(w[column]!, { scale, zeroPoint }, 2 ** grid.bits - 1);
      codes[row + column] = code;
      const inverse = rows[k]!;
      const error = (w[column]! - (code - zeroPoint) * scale) / inverse[k]!;
      for (let later = k + 1; later < n; later++) w[columns[later]!]! -= error * inverse[later]!;
    }
  }
  return codes;
}

/** Mean square of what rounding changes in the outputs, as a share of theirs. */
function outputError(
  values: Float32Array,
  read: Float32Array,
  inputs: Float64Array,
  columns: number,
) {
  let [error, norm] = [0, 0];
  for (let row = 0; row < values.length; row += columns) {
    for (let token = 0; token < inputs.length; token += columns) {
      let [delta, output] = [0, 0];
      for (let j = 0; j < columns; j++) {
        delta += (values[row + j]! - read[row + j]!) * inputs[token + j]!;
        output += values[row + j]! * inputs[token + j]!;
      }
      error += delta * delta;
      norm += output * output;
    }
  }
  return error / norm;
}

describe('GPTQ in groups', () => {
  const columns = 160;
  const inputs = inputsOf(400, columns);
  const full = hessianOf(inputs, columns, columns);
  const values = gaussians(6 * columns);

  test.each([
    ['groups of 32', { bits: 4, groupSize: 32, symmetric: true }, 'natural'],
    ['groups of 48, the last one shorter', { bits: 4, groupSize: 48, symmetric: true }, 'natural'],
    ['groups longer than a stripe', { bits: 4, groupSize: 144, symmetric: false }, 'natural'],
    ['3 bits with zero points', { bits: 3, groupSize: 32, symmetric: false }, 'natural'],
    ['a scale a row', { bits: 4, groupSize: 'channel', symmetric: true }, 'natural'],
    ['large inputs first', { bits: 4, groupSize: 32, symmetric: true }, 'activations'],
  ] as const)('codes are those of elimination on the explicit inverse: %s', (_, grid, order) => {
    const feedback = prepareFeedback(full, { order });
    const found = gptqGroups(values, feedback, grid);
    expect([...found.codes]).toEqual(byElimination(values, full, { grid, order }));
  });

  test('the output error of 3-bit codes is less than half of that of rounding to nearest', () => {
    const grid = { bits: 3, groupSize: 32, symmetric: true } as const;
    const { importance } = prepareFeedback(full);
    const nearest = roundToNearest({ values, columns, importance }, grid);
    const errors = (['natural', 'activations'] as const).map((order) => {
      const found = gptqGroups(values, prepareFeedback(full, { order }), grid);
      return outputError(values, groupValues(found), inputs, columns);
    });
    const plain = outputError(values, groupValues(nearest), inputs, columns);
    expect(Math.max(...errors) / plain).toBeLessThan(0.5);
  });

  test.each([0, 64])(
    'the 64 columns from %i on, a block of the Hessian, are as a matrix of their own',
    (start) => {
      const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
      const part = (numbers: ArrayLike<number>) =>
        Float64Array.from({ length: (numbers.length / columns) * 64 }, (_, at) => {
          return numbers[Math.floor(at / 64) * columns + start + (at % 64)]!;
        });
      const cut = prepareFeedback(hessianOf(inputs, columns, 64));
      const own = prepareFeedback(hessianOf(part(inputs), 64, 64));
      const alone = gptqGroups(Float32Array.from(part(values)), own, grid);
      const found = gptqGroups(values, cut, grid);
      expect(part(found.codes)).toEqual(Float64Array.from(alone.codes));
    },
  );

  test('rows may come in parts: each row is rounded by itself', () => {
    const feedback = prepareFeedback(full);
    const grid = { bits: 4, groupSize: 32, symmetric: false } as const;
    const whole = gptqGroups(values, feedback, grid);
    const part = gptqGroups(values.subarray(2 * columns, 5 * columns), feedback, grid);
    expect(part.codes).toEqual(whole.codes.subarray(2 * columns, 5 * columns));
    expect(part.scales).toEqual(whole.scales.subarray(2 * 5, 5 * 5));
  });

  test('inputs that nothing couples give the codes of weighted rounding to nearest', () => {
    const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
    const sums = full.sums.map((sum, at) => (at % (columns + 1) === 0 ? sum : 0));
    const feedback = prepareFeedback({ ...full, sums }, { damping: 0 });
    const { importance } = feedback;
    const found = gptqGroups(values, feedback, grid);
    expect(found).toEqual(roundToNearest({ values, columns, importance }, grid));
  });

  test('a block that cannot be factored is rounded to nearest, and named', () => {
    const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
    const cut = hessianOf(inputs, columns, 64);
    // Rows 64 and 65: [[1, 1000], [1000, 1]] has an eigenvalue of −999.
    cut.sums.set([1, 1000], 64 * 64);
    cut.sums.set([1000, 1], 65 * 64);
    const feedback = prepareFeedback(cut);
    expect(feedback.failed).toMatchObject([{ start: 64, reason: 'not-positive-definite' }]);
    const found = gptqGroups(values, feedback, grid);
    const nearest = roundToNearest({ values, columns, importance: feedback.importance }, grid);
    const middle = (codes: Uint8Array) =>
      codes.filter((_, at) => Math.floor((at % columns) / 64) === 1);
    expect(middle(found.codes)).toEqual(middle(nearest.codes));
    expect(found.codes).not.toEqual(nearest.codes);
  });
});

describe('what does not fit together', () => {
  const hessian = { columns: 96, blockSize: 48, sums: new Float64Array(2 * 48 * 48).fill(1) };

  test('a group that lies in two blocks of the Hessian is refused', () => {
    const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
    expect(() => gptqGroups(new Float32Array(96), prepareFeedback(hessian), grid)).toThrow(
      'Column 48',
    );
  });

  test('a Hessian of other columns is refused', () => {
    expect(() => prepareFeedback({ ...hessian, columns: 100 })).toThrow('100 columns');
  });
});
