import { fitRows, roundRows } from './fit-rows.ts';
import {
  demandRows,
  emptyCodes,
  measureCodes,
  type GroupCodes,
  type GroupGrid,
} from './group-codes.ts';

/** A matrix to quantize in groups. */
export interface GroupMatrix {
  /** `[rows, columns]`; not modified. Any whole rows of a matrix will do. */
  readonly values: Float32Array;
  readonly columns: number;
  /** Mean squared input of each column; all columns count alike when left out. */
  readonly importance?: ArrayLike<number>;
}

/**
 * Quantizes each weight to the nearest code of its group, whose scale leaves the least squared error, weighed by
 * importance.
 *
 * @throws PithError `shape`, `unsupported`, `not-finite` as `demandRows` does.
 * @remarks 8 · rows · columns bytes.
 */
export function roundToNearest(matrix: GroupMatrix, grid: GroupGrid): GroupCodes {
  const { values, columns, importance } = matrix;
  const rows = demandRows(values, columns, grid, importance);
  const result = emptyCodes({ rows, columns }, grid);
  const weights = Float64Array.from({ length: columns }, (_, at) => importance?.[at] ?? 1);
  const coded = { working: Float64Array.from(values), grid, result };
  const all = { from: 0, to: columns };
  fitRows(coded, weights, all);
  roundRows(coded, all);
  return { ...result, error: measureCodes(values, result, importance) };
}
