import type { Kernels } from '../kernels.ts';
import type { FactorBlock } from './factors.ts';
import type { Grid } from './grid.ts';
import { TileCoder, tileColumns, type CoupledError, type Matrix, type Tile } from './tile-coder.ts';

/** Codes panels of a matrix: rows that are coupled by columns that are coupled. */
export class PanelCoder {
  readonly #kernels: Kernels;
  readonly #matrix: Matrix;
  readonly #tiles: TileCoder;

  constructor(kernels: Kernels, grid: Grid, matrix: Matrix) {
    this.#kernels = kernels;
    this.#matrix = matrix;
    this.#tiles = new TileCoder(kernels, grid, matrix);
  }

  get error(): CoupledError {
    return this.#tiles.error;
  }

  /** Tile by tile, each passing its errors on to the columns after it. `down` has no values where rows are independent. */
  code(down: FactorBlock, across: FactorBlock): void {
    const { size } = across;
    const targets = this.#targets(down, across);
    for (let column = 0; column < size; column += tileColumns) {
      const width = Math.min(tileColumns, size - column);
      const tile = { down, across, column, width, targets };
      const errors = this.#tiles.code(tile);
      this.#passOn(tile, errors);
    }
  }

  #targets(down: FactorBlock, across: FactorBlock): Float32Array {
    const { values, columns } = this.#matrix;
    const targets = new Float32Array(down.size * across.size);
    for (let row = 0; row < down.size; row++) {
      const from = (down.first + row) * columns + across.first;
      targets.set(values.subarray(from, from + across.size), row * across.size);
    }
    return targets;
  }

  #passOn({ down, across, column, width, targets }: Tile, errors: Float32Array): void {
    const { size, stride, values } = across;
    const next = column + width;
    this.#kernels.feedback.subtractProducts({
      rows: down.size,
      depth: width,
      columns: size - next,
      target: { values: targets, at: next, stride: size },
      left: { values: errors, at: 0, stride: width },
      right: { values, at: column * stride + next, stride },
    });
  }
}
