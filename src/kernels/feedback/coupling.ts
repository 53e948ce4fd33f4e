import type { BlockType } from '../../tensor/block-types.ts';
import { isEncodable, type EncodeError, type Kernels, type TranscodeJob } from '../kernels.ts';
import { notFinite, weightsIn } from '../checks.ts';
import { encodeMatrix } from './encode-matrix.ts';
import type { Factors } from './factors.ts';
import { gridOf } from './grids.ts';

/** How the rounding errors of a matrix' weights bear on one another. */
export interface Coupling {
  /** Of the input columns. */
  readonly columnFactors: Factors;
  /** Of the rows at hand. */
  readonly rowFactors?: Factors;
}

/** Whether a type has codes that errors can be fed back into. */
export function hasGrid(type: BlockType): boolean {
  return isEncodable(type) && gridOf(type) !== undefined;
}

/** Decodes a slab, then encodes it with feedback; throws `not-finite` on NaN or ∞. */
export function transcodeCoupled(
  kernels: Kernels,
  { from, to, columns, bytes, out }: TranscodeJob,
  coupling: Coupling,
): EncodeError {
  const bad = kernels.firstNonFinite(from, bytes);
  if (bad >= 0) throw notFinite(from, bad, columns);
  const values = new Float32Array(weightsIn(from, bytes.length));
  kernels.decode(from, bytes, values);
  return encodeMatrix(kernels, { type: to, columns, values, ...coupling }, out);
}
