import type { Kernels } from '../kernels.ts';
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
export function factorBlock(
  kernels: Kernels,
  { matrix, size, scale, out, ...damping }: FactorJob,
): FactorResult {
  const scaled = new Float64Array(size * size);
  for (let at = 0; at < scaled.length; at++) scaled[at] = matrix[at]! * scale;
  const { subtractProducts: subtract } = kernels.feedback;
  const result = inverseFactor(scaled, size, { ...damping, subtract });
  if (result.ok) out.set(result.factor);
  return { ok: result.ok, damping: result.damping };
}
