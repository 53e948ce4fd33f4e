import { blockTypes } from '../../../tensor/block-types.ts';
import type { EncodableType } from '../../encodable-types.ts';
import type { ScalarGrid } from '../grid.ts';

/** A grid whose block layout is that of its type. */
export function scalarGrid(
  type: EncodableType,
  grid: Pick<ScalarGrid, 'levels' | 'readScales' | 'writeCodes'>,
): ScalarGrid {
  const { weights, bytes } = blockTypes[type];
  return { kind: 'scalar', type, weights, bytes, ...grid };
}

/** The `count` integers from `lowest` on. */
export function integerLevels(lowest: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, code) => lowest + code);
}

/** Sets `count` numbers from `first` on; faster than `fill` for the 8 to 32 of a sub-block. */
export function setRun(to: Float32Array, first: number, count: number, value: number): void {
  for (let i = first; i < first + count; i++) to[i] = value;
}
