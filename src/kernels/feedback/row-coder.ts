import { blockTypes } from '../../tensor/block-types.ts';
import type { EncodableType, Kernels } from '../kernels.ts';
import { blockCoder, type BlockCoder } from './block-coder.ts';
import { blocksOf, type FactorBlock, type Factors } from './factors.ts';
import type { Grid } from './grid.ts';

const f = Math.fround;

/** A block of columns with what its encoder needs to know. */
interface ColumnRange {
  readonly factor: FactorBlock;
  /** Within the factor's block. */
  readonly column: number;
  /** What the squared error of each column costs once the columns after it make up for it: 1 / Uⱼⱼ². */
  readonly importance: Float32Array;
}

/** Codes rows of one matrix, whose columns are coupled by `factors`. */
export class RowCoder {
  readonly #kernels: Kernels;
  readonly #type: EncodableType;
  readonly #code: BlockCoder;
  readonly #ranges: readonly ColumnRange[];
  readonly #targets: Float32Array;
  readonly #errors: Float32Array;

  constructor(kernels: Kernels, grid: Grid, factors: Factors, columns: number) {
    this.#kernels = kernels;
    this.#type = grid.type;
    this.#code = blockCoder(grid);
    const { weights } = blockTypes[grid.type];
    this.#ranges = blocksOf(factors, columns).flatMap((factor) => rangesOf(factor, weights));
    this.#targets = new Float32Array(columns);
    this.#errors = new Float32Array(columns);
  }

  /**
   * Codes one row; `values` gets what a decoder will read. Returns Σⱼ eⱼ², the error with its coupling.
   *
   * @param row - What the row should be, `[columns]`; not modified.
   */
  code(row: Float32Array, values: Float32Array, bytes: Uint8Array): number {
    const { weights, bytes: size } = blockTypes[this.#type];
    const targets = this.#targets;
    targets.set(row);
    let cost = 0;
    for (const { factor, column, importance } of this.#ranges) {
      const first = factor.first + column;
      const at = (first / weights) * size;
      const here = targets.subarray(first, first + weights);
      const errors = this.#errors.subarray(first, first + weights);
      const block = bytes.subarray(at, at + size);
      this.#kernels.encode(this.#type, here, weights, block, importance);
      const coded = { targets: here, errors, values: values.subarray(first, first + weights) };
      this.#code({ ...coded, bytes: block, at: 0 }, factor, column);
      passOn(errors, factor, column, targets);
      for (let j = 0; j < weights; j++) cost += errors[j]! * errors[j]!;
    }
    return cost;
  }
}

function rangesOf(factor: FactorBlock, weights: number): ColumnRange[] {
  const { size, stride, values } = factor;
  return Array.from({ length: size / weights }, (_, at) => {
    const column = at * weights;
    const importance = Float32Array.from({ length: weights }, (__, j) => {
      const diagonal = values[(column + j) * stride + column + j]!;
      return f(1 / f(diagonal * diagonal));
    });
    return { factor, column, importance };
  });
}

/** Moves the errors of a coded block to the columns after it. */
function passOn(
  errors: Float32Array,
  { first, size, stride, values }: FactorBlock,
  column: number,
  targets: Float32Array,
): void {
  for (let j = 0; j < errors.length; j++) {
    const error = errors[j]!;
    if (error === 0) continue;
    const row = (column + j) * stride;
    for (let k = column + errors.length; k < size; k++)
      targets[first + k] = targets[first + k]! - f(error * values[row + k]!);
  }
}
