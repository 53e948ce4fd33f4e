// What every block encoder shares; twin of src/kernels/scalar/encoder.ts.
import { addError, finishError, meanSquare, startError } from './error';
import { peakOf, sumLanes } from './simd';

/** Fits the block at `values` with the weights at `weights` (0: all weigh the same). */
type WriteBlock = (values: usize, weights: usize, out: usize) => void;
type Decode = (bytes: usize, units: i32, values: usize) => void;

/** Blocks whose peak is smaller become zeros. */
export const smallestPeak: f32 = 9.094947017729282e-13;
export const maxHalf: f32 = 65504;

const weightsOfBlock = memory.data(1024, 16);

/** Weights v * sqrt(sigma2 + x^2) of `count` values, or 0 when nobody weighs the block. */
function blockWeights(values: usize, importance: usize, sigma2: f32, count: i32): usize {
  const peak = peakOf(importance, count);
  if (!(peak >= <f32>1e-30)) return 0;
  const inverse = f32x4.splat(<f32>1 / peak);
  const mean = f32x4.splat(sigma2);
  const largest = f32x4.splat(<f32>1099511627776);
  let sum = f32x4.splat(0);
  for (let i: usize = 0, end = <usize>count << 2; i < end; i += 16) {
    const x = v128.load(values + i);
    const square = f32x4.pmin(largest, f32x4.add(mean, f32x4.mul(x, x)));
    const weight = f32x4.mul(
      f32x4.mul(v128.load(importance + i), inverse),
      f32x4.sqrt(square),
    );
    v128.store(weightsOfBlock + i, weight);
    sum = f32x4.add(sum, weight);
  }
  return sumLanes(sum) == 0 ? 0 : weightsOfBlock;
}

/** Runs a block writer over rows, then measures what it wrote while the row is still cached. */
@inline export function encodeBlocks(
  values: usize, rows: i32, columns: i32, importance: usize, out: usize, stats: usize,
  width: i32, size: i32, writeBlock: WriteBlock, decode: Decode,
): void {
  startError();
  for (let row = 0; row < rows; row++) {
    const sigma2 = importance ? meanSquare(values, columns) : <f32>0;
    let at = out;
    for (let column = 0; column < columns; column += width, at += size) {
      const block = values + (<usize>column << 2);
      const weights = importance
        ? blockWeights(block, importance + (<usize>column << 2), sigma2, width)
        : 0;
      writeBlock(block, weights, at);
    }
    addError(values, columns, out, width, size, decode);
    values += <usize>columns << 2;
    out = at;
  }
  finishError(stats);
}
