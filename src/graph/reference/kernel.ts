import type { Each, Typed } from '../op-row.ts';
import type { AnySignature, Op, Signatures } from '../signatures.ts';
import type { Numbers } from './numbers.ts';

/** Computes the results of an operator; sizes were checked when the graph was built. */
export type Kernel<S extends AnySignature> = (
  inputs: Each<S['inputs'], Numbers>,
  attributes: S['attributes'],
  outputs: readonly Typed[],
) => readonly Float64Array[];

/** Kernels of the operators `O`. */
export type Kernels<O extends Op> = { readonly [Name in O]: Kernel<Signatures[Name]> };
