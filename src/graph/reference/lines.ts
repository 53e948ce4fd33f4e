import type { Shape } from '../value.ts';
import { offsets, stridesOf } from './numbers.ts';

/** The lines of elements along an axis: element i of a line lies at its start + i · step. */
export function linesOf(
  shape: Shape,
  axis: number,
): { readonly starts: Float64Array; readonly size: number; readonly step: number } {
  const strides = stridesOf(shape);
  const starts = offsets(shape.with(axis, 1), strides);
  return { starts, size: shape[axis]!, step: strides[axis]! };
}
