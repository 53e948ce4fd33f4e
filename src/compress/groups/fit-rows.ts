import { codeOf, fitGroup, type GroupFit } from './fit-group.ts';
import { groupsInRow, type GroupCodes, type GroupGrid } from './group-codes.ts';

/** Rows on their way to codes. */
export interface CodedRows {
  /** `[rows, columns]`: what codes are to stand for. */
  readonly working: Float64Array;
  readonly grid: GroupGrid;
  readonly result: Omit<GroupCodes, 'error'>;
}

/** Columns `from` … `to − 1`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Fits the groups that begin in a range of columns, of all rows; `weights` are those of the range. */
export function fitRows(coded: CodedRows, weights: Float64Array, { from, to }: Range): void {
  const { rows, groupSize } = coded.result;
  for (let row = 0; row < rows; row++)
    for (let column = from; column < to; column += groupSize)
      fitGroupAt(coded, row, column, weights.subarray(column - from));
}

/** Fits the group that begins at a column; `weights` begin there too. */
export function fitGroupAt(
  { working, grid, result }: CodedRows,
  row: number,
  column: number,
  weights: Float64Array,
): void {
  const { columns, groupSize } = result;
  const size = Math.min(groupSize, columns - column);
  const first = row * columns + column;
  const fit = fitGroup(working.subarray(first, first + size), weights.subarray(0, size), grid);
  const at = row * groupsInRow(result) + column / groupSize;
  result.scales[at] = fit.scale;
  result.zeroPoints[at] = fit.zeroPoint;
}

/** What was fitted to the group of a column. */
export function fitOf(result: CodedRows['result'], row: number, column: number): GroupFit {
  const at = row * groupsInRow(result) + Math.floor(column / result.groupSize);
  return { scale: result.scales[at]!, zeroPoint: result.zeroPoints[at]! };
}

/** Gives the weights of a range of columns, of all rows, the nearest codes of their groups. */
export function roundRows({ working, grid, result }: CodedRows, { from, to }: Range): void {
  const { rows, columns } = result;
  for (let row = 0; row < rows; row++) {
    for (let column = from; column < to; column++) {
      const at = row * columns + column;
      result.codes[at] = codeOf(working[at]!, fitOf(result, row, column), 2 ** grid.bits - 1);
    }
  }
}
