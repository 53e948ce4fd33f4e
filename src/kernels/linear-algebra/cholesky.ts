import { PithError } from '../../util/errors.ts';
import { subtractProducts, type SubtractProducts } from './products.ts';
import { invertUpper, reverseCholesky } from './triangular.ts';

/** How {@link inverseFactor} makes a matrix safe to factor. */
export interface Damping {
  /** Added to every diagonal element, as a share of their mean (dead columns left out); default 0.01. */
  damping?: number;
  /** What the damping is multiplied by after a failure, while it is at most {@link limit}; default 4. */
  growth?: number;
  /** The largest damping tried, as the same share; default 1. */
  limit?: number;
}

/** How to damp, and what multiplies: the plain loops unless given. The factor is the same. */
export interface FactorOptions extends Damping {
  subtract?: SubtractProducts;
}

/** The inverse of a damped matrix as a factor, or why there is none. */
export type InverseFactor =
  | {
      ok: true;
      /** `[n, n]`, upper triangular `U` with `(H + λI)⁻¹ = UᵀU`; zeros below the diagonal. */
      factor: Float64Array;
      /** `λ` as a share of the mean diagonal. */
      damping: number;
      /** 1 when the first damping was enough. */
      attempts: number;
      /** Columns that no input ever reached (`H_jj = 0`): nothing couples them to the others. */
      dead: number[];
    }
  | {
      ok: false;
      reason: 'not-finite' | 'not-positive-definite';
      /** The last damping tried. */
      damping: number;
      attempts: number;
    };

/**
 * The upper triangular `U` with `(H + λI)⁻¹ = UᵀU`, which GPTQ's error feedback reads row by row.
 *
 * No inverse is formed: `H = VVᵀ` with `V` upper (Cholesky from the last row up), then `U = V⁻¹`.
 * A dead column's diagonal becomes `λ` (1 where that is 0) and the rest of its row and column 0: so it
 * keeps its own rounding, weighs next to nothing in a fit by `1/U_jj²`, and moves no other column.
 * GPTQ's code writes 1 there and sets the weights to 0, which a caller of this does itself where it wants to.
 *
 * @param h - `[n, n]`, symmetric (only the upper triangle is read), f64; not modified.
 * @returns A failure, not an error, when no damping up to the limit makes `H` positive definite or a
 *   value is not finite: the caller then rounds without feedback, and reports it.
 * @throws {@link PithError} `shape` when `h` does not have n² elements.
 * @see Frantar et al. 2022, arXiv:2210.17323, section 3.3, steps 2 and 3.
 * @remarks About ⅔ n³ floating-point operations an attempt, n² floats for the result. Checked against
 *   an explicit inverse by Gauss-Jordan elimination in the tests.
 */
export function inverseFactor(
  h: Float64Array,
  n: number,
  options: FactorOptions = {},
): InverseFactor {
  if (h.length !== n * n) {
    throw new PithError('shape', `a matrix of ${h.length} elements is not ${n} × ${n}`);
  }
  const { damping = 0.01, growth = 4, limit = 1, subtract = subtractProducts } = options;
  const factor = new Float64Array(n * n);
  const { dead, meanDiagonal } = diagonal(h, n);
  let share = damping;
  for (let attempts = 1; ; attempts += 1) {
    dampedCopy(h, factor, dead, share * meanDiagonal);
    const outcome = reverseCholesky(factor, n, subtract);
    if (outcome === 'ok') {
      invertUpper(factor, n, subtract);
      return { ok: true, factor, damping: share, attempts, dead };
    }
    const next = share * growth;
    if (outcome === 'not-finite' || next === share || next > limit) {
      return { ok: false, reason: outcome, damping: share, attempts };
    }
    share = next;
  }
}

function diagonal(h: Float64Array, n: number): { dead: number[]; meanDiagonal: number } {
  const dead: number[] = [];
  let sum = 0;
  for (let j = 0; j < n; j += 1) {
    const value = h[j * n + j]!;
    if (value === 0) dead.push(j);
    sum += value;
  }
  return { dead, meanDiagonal: dead.length === n ? 0 : sum / (n - dead.length) };
}

function dampedCopy(h: Float64Array, target: Float64Array, dead: number[], lambda: number): void {
  const n = Math.sqrt(h.length);
  target.set(h);
  for (let j = 0; j < n; j += 1) target[j * n + j]! += lambda;
  for (const column of dead) {
    for (let i = 0; i < n; i += 1) {
      target[i * n + column] = 0;
      target[column * n + i] = 0;
    }
    target[column * n + column] = lambda === 0 ? 1 : lambda;
  }
}
