import { codeOf, fitGroup } from './fit-group.ts';
import {
  demandRows,
  emptyCodes,
  groupsInRow,
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
 */
export function roundToNearest(matrix: GroupMatrix, grid: GroupGrid): GroupCodes {
  const { values, columns, importance } = matrix;
  const rows = demandRows(values, columns, grid, importance);
  const result = emptyCodes({ rows, columns }, grid);
  const groups = groupsInRow(result);
  const weights = Float64Array.from({ length: columns }, (_, at) => importance?.[at] ?? 1);
  for (let row = 0; row < rows; row++) {
    const whole = Float64Array.from(values.subarray(row * columns, (row + 1) * columns));
    for (let group = 0; group < groups; group++) {
      const [from, to] = [group * result.groupSize, (group + 1) * result.groupSize];
      const part = whole.subarray(from, to);
      const fit = fitGroup(part, weights.subarray(from, to), grid);
      result.scales[row * groups + group] = fit.scale;
      result.zeroPoints[row * groups + group] = fit.zeroPoint;
      for (const [at, value] of part.entries())
        result.codes[row * columns + from + at] = codeOf(value, fit, 2 ** grid.bits - 1);
    }
  }
  return { ...result, error: measureCodes(values, result, importance) };
}
