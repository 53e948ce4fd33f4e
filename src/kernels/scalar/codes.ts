import { sumInSixteen } from './fit-block.ts';
import type { FitBlock } from './fit-block.ts';
import { inverseOf, type Grid } from './symmetric-fit.ts';

const f = Math.fround;

/** Final grid values of a block, and the error they leave. */
export interface Codes {
  /** One grid value a weight. */
  readonly values: Float32Array;
  /** Σ (x − x̂)² in units of the block's unit². */
  readonly squaredError: number;
}

/**
 * Divides each run of weights by its scale (equal runs, one scale each, in the block's unit) and
 * snaps the result to the grid.
 */
export function codesAt(block: FitBlock, scales: readonly number[], grid: Grid): Codes {
  const { values } = block;
  const run = values.length / scales.length;
  const codes = new Float32Array(values.length);
  const squares = new Float32Array(values.length);
  scales.forEach((scale, index) => {
    const inverse = inverseOf(scale);
    for (let i = index * run; i < (index + 1) * run; i++) {
      codes[i] = grid.nearest(f(values[i]! * inverse));
      const error = f(values[i]! - f(scale * codes[i]!));
      squares[i] = error * error;
    }
  });
  return { values: codes, squaredError: sumInSixteen(squares) };
}
