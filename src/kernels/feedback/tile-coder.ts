import type { EncodeError, Kernels } from '../kernels.ts';
import type { BlockCoder } from './block-coder.ts';
import type { FactorBlock } from './factors.ts';
import type { Grid } from './grid.ts';

const f = Math.fround;

/** Errors of a matrix encoded with feedback. */
export interface CoupledError extends EncodeError {
  /** tr(G Δ H Δᵀ), G and H damped as they were factored; G the identity without row factors. */
  coupledError: number;
}

/** Columns that are coded row by row before the columns after them learn of their errors. */
export const tileColumns = 256;

/** Some columns of all rows of a panel. */
export interface Tile {
  /** Of the rows; without values they are independent. */
  readonly down: FactorBlock;
  readonly across: FactorBlock;
  /** Of its first column, within `across`. */
  readonly column: number;
  readonly width: number;
  /** `[down.size, across.size]`: what columns before the tile left to be coded. Overwritten. */
  readonly targets: Float32Array;
}

/** The matrix that tiles are part of. */
export interface Matrix {
  readonly columns: number;
  readonly values: Float32Array;
  readonly out: Uint8Array;
}

/** What a row leaves behind in a tile, `[rows, width]` each. */
interface Traces {
  /** Of each weight, by its column: (target − x̂) / Uⱼⱼ. */
  readonly errors: Float32Array;
  /** What a row lacks of what was asked of it, by its factor's diagonal. */
  readonly lacks: Float32Array;
  /** What rows before it ask of a row, besides its own values. */
  readonly shifts: Float32Array;
  /** What the cost of each column's error is: 1 / Uⱼⱼ². */
  readonly importance: Float32Array;
}

/** A row of a tile: what is to be coded, where its errors go, what they cost. */
interface RowTargets {
  readonly targets: Float32Array;
  readonly errors: Float32Array;
  readonly importance: Float32Array;
}

/** Codes tiles row by row, each row passing what it lacks to the rows after it. */
export class TileCoder {
  readonly error: CoupledError = { squaredError: 0, squaredNorm: 0, coupledError: 0 };
  readonly #kernels: Kernels;
  readonly #grid: Grid;
  readonly #code: BlockCoder;
  readonly #matrix: Matrix;
  readonly #coded = new Float32Array(tileColumns);

  constructor(kernels: Kernels, grid: Grid, matrix: Matrix) {
    this.#kernels = kernels;
    this.#grid = grid;
    this.#code = kernels.feedback.blockCoder(grid);
    this.#matrix = matrix;
  }

  /** Returns the errors of all weights, `[rows, width]`. */
  code(tile: Tile): Float32Array {
    const { down, width } = tile;
    const numbers = () => new Float32Array(down.size * width);
    const importance = importanceOf(tile);
    const traces = { errors: numbers(), lacks: numbers(), shifts: numbers(), importance };
    this.#codeRows(tile, traces, 0, down.size);
    return traces.errors;
  }

  /** Halves the rows again and again, so that most of what rows pass on goes in large products. */
  #codeRows(tile: Tile, traces: Traces, first: number, end: number): void {
    if (end - first === 1) return this.#codeRow(tile, traces, first);
    const middle = (first + end) >> 1;
    this.#codeRows(tile, traces, first, middle);
    if (tile.down.values.length > 0) this.#passOn(tile, traces, { first, middle, end });
    this.#codeRows(tile, traces, middle, end);
  }

  /** What rows `first` to `middle` lack is taken from those up to `end`. */
  #passOn(
    { down, width }: Tile,
    { lacks, shifts }: Traces,
    { first, middle, end }: { first: number; middle: number; end: number },
  ): void {
    const { values, stride } = down;
    this.#kernels.feedback.subtractProducts({
      rows: end - middle,
      depth: middle - first,
      columns: width,
      target: { values: shifts, at: middle * width, stride: width },
      left: { values, at: first * stride + middle, stride, transposed: true },
      right: { values: lacks, at: first * width, stride: width },
    });
  }

  #codeRow(tile: Tile, traces: Traces, row: number): void {
    const { down, across, column, width } = tile;
    const { columns, values } = this.#matrix;
    const at = row * across.size + column;
    const targets = tile.targets.subarray(at, at + width);
    const ofRow = (trace: Float32Array) => trace.subarray(row * width, (row + 1) * width);
    const errors = ofRow(traces.errors);
    const lacks = ofRow(traces.lacks);
    const shifts = ofRow(traces.shifts);
    for (let j = 0; j < width; j++) targets[j]! += shifts[j]!;
    this.#codeBlocks(tile, row, { targets, errors, importance: traces.importance });
    const place = (down.first + row) * columns + across.first + column;
    const asked = values.subarray(place, place + width);
    const diagonal = down.values[row * down.stride + row] ?? 1;
    this.#addErrors(asked, errors, diagonal);
    const inverse = f(1 / diagonal);
    const coded = this.#coded;
    for (let j = 0; j < width; j++) lacks[j] = f(f(asked[j]! + shifts[j]!) - coded[j]!) * inverse;
  }

  #codeBlocks(
    { down, across, column, width }: Tile,
    row: number,
    { targets, errors, importance }: RowTargets,
  ): void {
    const { type, weights, bytes: size } = this.#grid;
    const { columns, out } = this.#matrix;
    const place = (down.first + row) * columns + across.first + column;
    for (let at = 0; at < width; at += weights) {
      const start = ((place + at) / weights) * size;
      const bytes = out.subarray(start, start + size);
      const end = at + weights;
      const here = targets.subarray(at, end);
      this.#kernels.encode(type, here, weights, bytes, importance.subarray(at, end));
      const block = {
        targets: targets.subarray(at),
        errors: errors.subarray(at, end),
        values: this.#coded.subarray(at, end),
        bytes,
        at: 0,
      };
      this.#code(block, across, column + at);
    }
  }

  #addErrors(asked: Float32Array, errors: Float32Array, diagonal: number): void {
    const { error } = this;
    let cost = 0;
    for (let j = 0; j < asked.length; j++) {
      const difference = asked[j]! - this.#coded[j]!;
      error.squaredError += difference * difference;
      error.squaredNorm += asked[j]! * asked[j]!;
      cost += errors[j]! * errors[j]!;
    }
    error.coupledError += cost / (diagonal * diagonal);
  }
}

/** What the squared error of each column costs once the columns after it make up for it: 1 / Uⱼⱼ². */
function importanceOf({ across, column, width }: Tile): Float32Array {
  const { values, stride } = across;
  return Float32Array.from({ length: width }, (_, j) => {
    const diagonal = values[(column + j) * (stride + 1)]!;
    return f(1 / f(diagonal * diagonal));
  });
}
