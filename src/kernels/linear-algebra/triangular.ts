/** Rows or columns worked on together: a panel of this many rows of a large matrix stays in cache. */
const panel = 64;
/** Elements of a row that one pass multiplies: 64 rows of them are 256 KB. */
const span = 512;

/**
 * Replaces a symmetric matrix by the upper triangular `V` of `H = VVᵀ`, from the last row up; zeros below.
 *
 * @param a - `[n, n]`, of which only the upper triangle is read.
 * @returns What is wrong with the matrix, when it has no such factor: a pivot that rounding could have
 *   made counts as not positive definite. `a` is then half done.
 * @remarks ⅓ n³ floating-point operations.
 */
export function reverseCholesky(
  a: Float64Array,
  n: number,
): 'ok' | 'not-finite' | 'not-positive-definite' {
  const smallest = Float64Array.from({ length: n }, (_, j) =>
    Math.abs(a[j * n + j]! * n * Number.EPSILON),
  );
  for (let end = n; end > 0; end -= panel) {
    const start = Math.max(0, end - panel);
    for (let from = end; from < n; from += span) {
      subtractProducts(a, n, { start, end, from, to: Math.min(n, from + span) });
    }
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
  }
  for (let i = 1; i < n; i += 1) a.fill(0, i * n, i * n + i);
  return 'ok';
}

/**
 * Replaces an upper triangular matrix by its inverse, from the last rows up.
 *
 * @param a - `[n, n]`, zeros below a diagonal without zeros.
 * @remarks ⅓ n³ floating-point operations, 64 · n floats of scratch.
 */
export function invertUpper(a: Float64Array, n: number): void {
  const before = new Float64Array(panel * n);
  for (let end = n; end > 0; end -= panel) {
    const start = Math.max(0, end - panel);
    before.set(a.subarray(start * n, end * n));
    for (let i = start; i < end; i += 1) a.fill(0, i * n + end, i * n + n);
    // V[panel, rest] · U[rest, rest], where the rows of U below are already done.
    for (let from = end; from < n; from += span) {
      addProducts(a, before, n, { start, end, from, to: Math.min(n, from + span) });
    }
    invertPanel(a, n, start, end);
  }
}

interface Area {
  /** Rows of the panel. */
  start: number;
  end: number;
  /** Columns. */
  from: number;
  to: number;
}

/** `A[i, j] −= Σ_k A[i, k] A[j, k]` for rows i < end, columns j in the panel, k in from…to; four at a time. */
function subtractProducts(a: Float64Array, n: number, area: Area): void {
  const { start, end, from, to } = area;
  for (let i = 0; i < end; i += 2) {
    const row = i * n;
    // A panel of an odd number of rows or columns computes its last one twice and stores it once.
    const row2 = Math.min(i + 1, end - 1) * n;
    for (let j = start; j < end; j += 2) {
      const other = j * n;
      const j2 = Math.min(j + 1, end - 1);
      const other2 = j2 * n;
      let s11 = 0;
      let s12 = 0;
      let s21 = 0;
      let s22 = 0;
      for (let k = from; k < to; k += 1) {
        const p = a[row + k]!;
        const q = a[row2 + k]!;
        const u = a[other + k]!;
        const v = a[other2 + k]!;
        s11 += p * u;
        s12 += p * v;
        s21 += q * u;
        s22 += q * v;
      }
      a[row + j]! -= s11;
      if (j2 > j) a[row + j2]! -= s12;
      if (row2 > row) a[row2 + j]! -= s21;
      if (row2 > row && j2 > j) a[row2 + j2]! -= s22;
    }
  }
}

/** `A[i, j] += Σ_k before[i, k] A[k, j]` for the rows i of a panel, columns j in from…to, k in end…j. */
function addProducts(a: Float64Array, before: Float64Array, n: number, area: Area): void {
  const { start, end, from, to } = area;
  for (let k = end; k < to; k += 4) {
    const left = Math.min(4, to - k);
    const u0 = k * n;
    const u1 = u0 + Math.min(1, left - 1) * n;
    const u2 = u0 + Math.min(2, left - 1) * n;
    const u3 = u0 + Math.min(3, left - 1) * n;
    for (let i = start; i < end; i += 1) {
      const row = i * n;
      const source = (i - start) * n + k;
      const v0 = before[source]!;
      const v1 = left > 1 ? before[source + 1]! : 0;
      const v2 = left > 2 ? before[source + 2]! : 0;
      const v3 = left > 3 ? before[source + 3]! : 0;
      for (let j = Math.max(from, k); j < to; j += 1) {
        a[row + j]! += v0 * a[u0 + j]! + v1 * a[u1 + j]! + v2 * a[u2 + j]! + v3 * a[u3 + j]!;
      }
    }
  }
}

/** Finishes a panel whose right part holds `V U`: inverts its triangle T, then that part becomes `−T⁻¹ (V U)`. */
function invertPanel(a: Float64Array, n: number, start: number, end: number): void {
  for (let i = end - 1; i >= start; i -= 1) {
    const scale = 1 / a[i * n + i]!;
    const row = Float64Array.from(a.subarray(i * n + i + 1, i * n + end));
    a.fill(0, i * n + i + 1, i * n + end);
    a[i * n + i] = scale;
    row.forEach((value, index) =>
      addRow(a, i * n, (i + 1 + index) * n, { factor: -scale * value, from: i + 1, to: end }),
    );
  }
  for (let i = start; i < end; i += 1) {
    const diagonal = -a[i * n + i]!;
    for (let j = end; j < n; j += 1) a[i * n + j]! *= diagonal;
    for (let p = i + 1; p < end; p += 1) {
      addRow(a, i * n, p * n, { factor: -a[i * n + p]!, from: end, to: n });
    }
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
