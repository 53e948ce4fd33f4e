import { PithError } from '../../util/errors.ts';

/** How a row is cut and what its groups may look like. */
export interface GroupGrid {
  readonly bits: 2 | 3 | 4 | 8;
  /** Weights that share a scale; `channel`: a whole row. The last group of a row may be shorter. */
  readonly groupSize: number | 'channel';
  /** Symmetric: the zero point is 2^(bits − 1) everywhere. */
  readonly symmetric: boolean;
  /** What scales are stored in: they are rounded to it before codes are chosen. Default F16. */
  readonly scaleType?: 'F32' | 'F16' | 'BF16';
  /**
   * Whether a symmetric group may have a scale below 0, so that the longer half of its codes lies on the side of
   * the largest weight, as in Q4_0 and in ONNX Runtime's own quantizer. Default false: not every runtime allows it.
   */
  readonly negativeScales?: boolean;
}

/** Sums over the weights of a matrix; the relative RMS error is √(squaredError / squaredNorm). */
export interface GroupError {
  /** Σ (w − ŵ)². */
  readonly squaredError: number;
  /** Σ w². */
  readonly squaredNorm: number;
  /** Σ v (w − ŵ)², v the importance of the column. */
  readonly weightedError: number;
  /** Σ v w². */
  readonly weightedNorm: number;
}

/** A matrix as integers: the weight is `(code − zeroPoint) · scale`. */
export interface GroupCodes {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, 0 … 2^bits − 1. */
  readonly codes: Uint8Array;
  /** `[rows, groups]`, as the stored type reads back. */
  readonly scales: Float32Array;
  /** `[rows, groups]`, 0 … 2^bits − 1. */
  readonly zeroPoints: Uint8Array;
  /** In numbers, also where a group is a whole row. */
  readonly groupSize: number;
  readonly bits: GroupGrid['bits'];
  readonly symmetric: boolean;
  readonly error: GroupError;
}

/** Groups in a row. */
export function groupsInRow({
  columns,
  groupSize,
}: Pick<GroupCodes, 'columns' | 'groupSize'>): number {
  return Math.ceil(columns / groupSize);
}

/** The weights of some codes, `[rows, columns]`. */
export function groupValues(quantized: Omit<GroupCodes, 'error'>): Float32Array {
  const { rows, columns, codes, scales, zeroPoints, groupSize } = quantized;
  const groups = groupsInRow(quantized);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const group = row * groups + Math.floor(column / groupSize);
      const at = row * columns + column;
      values[at] = (codes[at]! - zeroPoints[group]!) * scales[group]!;
    }
  }
  return values;
}

/** Codes that are still 0, for a matrix. */
export function emptyCodes(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { bits, groupSize, symmetric }: GroupGrid,
): Omit<GroupCodes, 'error'> {
  const size = groupSize === 'channel' ? columns : groupSize;
  const groups = rows * Math.ceil(columns / size);
  return {
    rows,
    columns,
    codes: new Uint8Array(rows * columns),
    scales: new Float32Array(groups),
    zeroPoints: new Uint8Array(groups),
    groupSize: size,
    bits,
    symmetric,
  };
}

/** Compares codes with the weights they stand for. */
export function measureCodes(
  values: Float32Array,
  quantized: Omit<GroupCodes, 'error'>,
  importance?: ArrayLike<number>,
): GroupError {
  const read = groupValues(quantized);
  const error = { squaredError: 0, squaredNorm: 0, weightedError: 0, weightedNorm: 0 };
  for (const [at, value] of values.entries()) {
    const weight = importance ? importance[at % quantized.columns]! : 1;
    const square = (value - read[at]!) ** 2;
    error.squaredError += square;
    error.squaredNorm += value * value;
    error.weightedError += weight * square;
    error.weightedNorm += weight * value * value;
  }
  return error;
}

/**
 * The rows of a matrix that a grid fits.
 *
 * @throws PithError `shape` when weights or importance do not make whole rows, `unsupported` for a group size that
 *   is no positive integer, `not-finite` with the place of the weight.
 */
export function demandRows(
  values: Float32Array,
  columns: number,
  { groupSize }: GroupGrid,
  importance?: ArrayLike<number>,
): number {
  const rows = values.length / columns;
  if (!Number.isInteger(rows))
    throw new PithError('shape', `${values.length} weights do not make rows of ${columns}.`);
  if (importance && importance.length !== columns)
    throw new PithError(
      'shape',
      `${importance.length} importances are not one for each of ${columns} columns.`,
    );
  if (groupSize !== 'channel' && !(Number.isInteger(groupSize) && groupSize > 0))
    throw new PithError('unsupported', `Groups of ${groupSize} weights cannot be made.`);
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0)
    throw new PithError(
      'not-finite',
      `The weight in row ${Math.floor(broken / columns)}, column ${broken % columns} is ${values[broken]}.`,
    );
  return rows;
}
