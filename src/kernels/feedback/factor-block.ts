import { inverseFactor, type Damping } from '../linear-algebra/cholesky.ts';

/** A block on the diagonal of a matrix, to be factored. */
export interface FactorJob extends Damping {
  /** `[size, size]`, symmetric. */
  readonly matrix: Float32Array;
  readonly size: number;
  /** What the matrix is multiplied with first: 1 / tokens makes sums means. */
  readonly scale: number;
  /** Room for the factor, `[size, size]`. */
  readonly out: Float32Array;
}

/** How a block was factored; without success `out` holds nothing of use. */
export interface FactorResult {
  readonly ok: boolean;
  /** What was added to the diagonal, as a share of its mean. */
  readonly damping: number;
}

/** Writes `U` with `(scale · M + λI)⁻¹ = UᵀU` to `out`; f64 inside. */
export function factorBlock({ matrix, size, scale, out, ...damping }: FactorJob): FactorResult {
  const scaled = Float64Array.from(matrix, (element) => element * scale);
  const result = inverseFactor(scaled, size, damping);
  if (result.ok) out.set(result.factor);
  return { ok: result.ok, damping: result.damping };
}
