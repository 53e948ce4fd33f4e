import { blockTypes } from '../../tensor/block-types.ts';
import type { EncodableType, EncodeError, Encoder } from '../kernels.ts';
import {
  normalize,
  relativeImportance,
  weighByBoth,
  weighBySquare,
  type FitBlock,
} from './fit-block.ts';
import type { Search } from './symmetric-fit.ts';

/** What depends on where the weights of the errors come from. */
export interface Tuning {
  /**
   * Fraction of the block's mean weight that is added to every weight.
   *
   * ggml has none. It keeps columns of importance 0 from being ignored, and the weighted error from
   * being lowered at the expense of the plain one.
   */
  readonly ridge: number;
  readonly search: Search;
}

/** How a block type weighs its errors and packs a block. */
export interface SymmetricCodec {
  readonly type: EncodableType;
  /** Weights that share a scale. */
  readonly subBlock: number;
  /** Neighbouring blocks that the SIMD twin fits together: errors are summed in its order. */
  readonly together: number;
  /** When the weights are x². */
  readonly plain: Tuning;
  /** When the weights come from an imatrix. */
  readonly importance: Tuning;
  /** Whether importance is multiplied with sqrt(2·mean(x²) + x²), as ggml does for this type. */
  readonly scalesImportance: boolean;
  /** Writes one block; returns Σ (x − x̂)² in units of `unit`². */
  encode(block: FitBlock, search: Search, out: Uint8Array): number;
}

/** The encoder of a symmetric type: one range of columns for all rows, then the next range. */
export function symmetricEncoder(codec: SymmetricCodec): Encoder {
  const size = blockTypes[codec.type].weights;
  return (values, columns, out, importance) => {
    const error: EncodeError = { squaredError: 0, squaredNorm: 0 };
    const encodeAt = blockEncoder(codec, { values, columns, out, importance }, error);
    const width = codec.together * size;
    for (let left = 0; left < columns; left += width) {
      const right = Math.min(left + width, columns);
      for (let row = 0; row < values.length; row += columns) {
        for (let column = left; column < right; column += size) encodeAt(row, column);
      }
    }
    return error;
  };
}

interface Job {
  readonly values: Float32Array;
  readonly columns: number;
  readonly out: Uint8Array;
  readonly importance: Float32Array | undefined;
}

/** Encodes the block at a column of the row that starts at weight `row`, and adds to `error`. */
function blockEncoder(codec: SymmetricCodec, job: Job, error: EncodeError) {
  const { weights: size, bytes } = blockTypes[codec.type];
  const { ridge, search } = job.importance ? codec.importance : codec.plain;
  const block: FitBlock = {
    values: new Float32Array(size),
    weights: new Float32Array(size),
    subBlock: codec.subBlock,
    unit: 1,
  };
  return (row: number, column: number) => {
    const first = row + column;
    const energy = normalize(job.values.subarray(first, first + size), block);
    const here = job.importance?.subarray(column, column + size);
    if (!here) weighBySquare(block, energy, ridge);
    else if (codec.scalesImportance) weighByBoth(block, energy, relativeImportance(here, ridge));
    else block.weights.set(relativeImportance(here, ridge));
    const at = (first / size) * bytes;
    const squaredUnit = block.unit * block.unit;
    error.squaredError +=
      codec.encode(block, search, job.out.subarray(at, at + bytes)) * squaredUnit;
    error.squaredNorm += energy * squaredUnit;
  };
}
