import { subtractProducts, type Products, type SubtractProducts } from './products.ts';

/** Columns whose factor is found by plain loops. */
const few = 16;
/** Columns or rows worked on together; what of a product lies below a diagonal is worked out in vain. */
const panel = 128;

type Outcome = 'ok' | 'not-finite' | 'not-positive-definite';

/** A square matrix, row-major. */
interface Square {
  readonly a: Float64Array;
  readonly n: number;
  readonly subtract: SubtractProducts;
}

/**
 * Replaces a symmetric matrix by the upper triangular `V` of `H = VVᵀ`, from the last column on; zeros below.
 *
 * @param a - `[n, n]`, of which only the upper triangle is read.
 * @returns What is wrong with the matrix, when it has no such factor: a pivot that rounding could have
 *   made counts as not positive definite. `a` is then half done.
 * @remarks ⅓ n³ floating-point operations, nearly all in `subtract`.
 */
export function reverseCholesky(
  a: Float64Array,
  n: number,
  subtract: SubtractProducts = subtractProducts,
): Outcome {
  const smallest = Float64Array.from({ length: n }, (_, j) =>
    Math.abs(a[j * n + j]! * n * Number.EPSILON),
  );
  const outcome = factorColumns({ a, n, subtract }, 0, n, smallest);
  if (outcome === 'ok') for (let i = 1; i < n; i += 1) a.fill(0, i * n, i * n + i);
  return outcome;
}

/** The columns `start` to `end` of `V`, which those after them have been taken from; their right half first. */
function factorColumns(
  square: Square,
  start: number,
  end: number,
  smallest: Float64Array,
): Outcome {
  if (end - start <= few) return factorFew(square, start, end, smallest);
  const middle = (start + end) >> 1;
  const outcome = factorColumns(square, middle, end, smallest);
  if (outcome !== 'ok') return outcome;
  const { a, n, subtract } = square;
  for (let from = start; from < middle; from += panel) {
    const to = Math.min(middle, from + panel);
    const left = { values: a, at: middle, stride: n };
    const right = { values: a, at: from * n + middle, stride: n, transposed: true };
    const target = { values: a, at: from, stride: n };
    subtract({ rows: to, columns: to - from, depth: end - middle, target, left, right });
  }
  return factorColumns(square, start, middle, smallest);
}

function factorFew({ a, n }: Square, start: number, end: number, smallest: Float64Array): Outcome {
  for (let j = end - 1; j >= start; j -= 1) {
    const pivot = a[j * n + j]! - dot(a, j * n, j * n, { from: j + 1, to: end });
    if (!Number.isFinite(pivot)) return 'not-finite';
    if (pivot <= smallest[j]!) return 'not-positive-definite';
    const root = Math.sqrt(pivot);
    for (let i = 0; i < j; i += 1) {
      const value = a[i * n + j]! - dot(a, i * n, j * n, { from: j + 1, to: end });
      if (!Number.isFinite(value)) return 'not-finite';
      a[i * n + j] = value / root;
    }
    a[j * n + j] = root;
  }
  return 'ok';
}

/**
 * Replaces an upper triangular matrix by its inverse, from the last rows up.
 *
 * @param a - `[n, n]`, zeros below a diagonal without zeros.
 * @remarks ⅓ n³ floating-point operations, nearly all in `subtract`; 128 · n floats of scratch.
 */
export function invertUpper(
  a: Float64Array,
  n: number,
  subtract: SubtractProducts = subtractProducts,
): void {
  const before = new Float64Array(panel * n);
  const triangle = new Float64Array(panel * panel);
  for (let end = n; end > 0; end -= panel) {
    const start = Math.max(0, end - panel);
    const [rows, columns] = [end - start, n - end];
    const target = { values: a, at: start * n + end, stride: n };
    const left = { values: before, at: 0, stride: columns };
    // −V[panel, rest] · U[rest, rest], where the rows of U below are already done, …
    moveOut(target, before, rows, columns);
    for (let k = 0; k < columns; k += panel)
      subtract({
        rows,
        columns: columns - k,
        depth: Math.min(panel, columns - k),
        target: { ...target, at: target.at + k },
        left: { ...left, at: k },
        right: { values: a, at: (end + k) * (n + 1), stride: n },
      });
    // … by the inverse of the triangle on the diagonal.
    invertPanel({ a, n, subtract }, start, end);
    for (let i = 0; i < rows; i += 1)
      for (let j = 0; j < rows; j += 1) triangle[i * rows + j] = -a[(start + i) * n + start + j]!;
    moveOut(target, before, rows, columns);
    const inverse = { values: triangle, at: 0, stride: rows };
    subtract({ rows, columns, depth: rows, target, left: inverse, right: left });
  }
}

/** Leaves zeros, and what stood there in `to`, row after row. */
function moveOut(
  { values, at, stride }: Products<Float64Array>['target'],
  to: Float64Array,
  rows: number,
  columns: number,
): void {
  for (let i = 0; i < rows; i += 1) {
    const row = values.subarray(at + i * stride, at + i * stride + columns);
    to.set(row, i * columns);
    row.fill(0);
  }
}

/** Inverts a triangle on the diagonal. */
function invertPanel({ a, n }: Square, start: number, end: number): void {
  for (let i = end - 1; i >= start; i -= 1) {
    const scale = 1 / a[i * n + i]!;
    const row = Float64Array.from(a.subarray(i * n + i + 1, i * n + end));
    a.fill(0, i * n + i + 1, i * n + end);
    a[i * n + i] = scale;
    row.forEach((value, index) =>
      addRow(a, i * n, (i + 1 + index) * n, { factor: -scale * value, from: i + 1, to: end }),
    );
  }
}

function addRow(
  a: Float64Array,
  target: number,
  source: number,
  { factor, from, to }: { factor: number; from: number; to: number },
): void {
  for (let j = from; j < to; j += 1) a[target + j]! += factor * a[source + j]!;
}

function dot(
  a: Float64Array,
  row: number,
  other: number,
  { from, to }: { from: number; to: number },
): number {
  let sum = 0;
  for (let k = from; k < to; k += 1) sum += a[row + k]! * a[other + k]!;
  return sum;
}
