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
  const { weights: size, bytes } = blockTypes[codec.type];
  return (values, columns, out, importance) => {
    const { ridge, search } = importance ? codec.importance : codec.plain;
    const block: FitBlock = {
      values: new Float32Array(size),
      weights: new Float32Array(size),
      subBlock: codec.subBlock,
      unit: 1,
    };
    const error: EncodeError = { squaredError: 0, squaredNorm: 0 };
    for (let column = 0; column < columns; column += size) {
      const relative =
        importance && relativeImportance(importance.subarray(column, column + size), ridge);
      for (let first = column; first < values.length; first += columns) {
        const energy = normalize(values.subarray(first, first + size), block);
        if (!relative) weighBySquare(block, energy, ridge);
        else if (codec.scalesImportance) weighByBoth(block, energy, relative);
        else block.weights.set(relative);
        const at = (first / size) * bytes;
        const squaredUnit = block.unit * block.unit;
        error.squaredError +=
          codec.encode(block, search, out.subarray(at, at + bytes)) * squaredUnit;
        error.squaredNorm += energy * squaredUnit;
      }
    }
    return error;
  };
}
