import { blockTypes } from '../../tensor/block-types.ts';
import { f16ToF32, f32ToF16 } from '../../util/half-float.ts';
import type { Decoder, EncodableType, Encoder } from '../kernels.ts';
import { laneSum, wideLaneSum } from './lanes.ts';
import { measure } from './measure.ts';

const { fround } = Math;

/**
 * Fits one block and writes it at `out[at]`.
 *
 * `weights` says how much each squared error counts: all 1 without importance.
 */
export type BlockWriter = (
  values: Float32Array,
  weights: Float32Array,
  out: Uint8Array,
  at: number,
  weighted: boolean,
) => void;

/** Largest binary16 number. */
export const maxHalf = 65504;

/** Blocks whose largest magnitude is below this are stored as zeros: no binary16 scale is so small. */
export const smallestPeak = 2 ** -40;

/** Weights stop growing at |x| = 2²⁰, which no binary16 scale reaches: keeps all sums finite. */
const largestSquare = 2 ** 40;

/** The largest magnitude. */
export function peakOf(values: Float32Array): number {
  return values.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);
}

/**
 * Rounds a scale to binary16, never to infinity and, unless it is 0, never to 0: the smallest
 * subnormal (2⁻²⁴) still beats losing the block. Returns the 16 bits.
 */
export function scaleToHalf(scale: number): number {
  const half = nearestHalf(scale);
  return (half & 0x7fff) === 0 && scale !== 0 ? half | 1 : half;
}

/** The nearest finite binary16 number, as its 16 bits. */
export function nearestHalf(x: number): number {
  return f32ToF16(Math.min(Math.max(x, -maxHalf), maxHalf));
}

/** The largest binary16 number that is not above `x` (−65504 if there is none), as its 16 bits. */
export function halfBelow(x: number): number {
  const half = nearestHalf(x);
  if (f16ToF32(half) <= x || half === 0xfbff) return half;
  return half & 0x8000 ? half + 1 : half - 1;
}

/** Stores a 16-bit word, little end first. */
export function putWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word;
  out[at + 1] = word >> 8;
}

/**
 * ggml's weighting of squared errors with an imatrix: v · √(σ² + x²), σ² the row's mean square, v
 * scaled to its peak in the block. A block that nobody weighs is fitted as if there were no imatrix.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_q4_0_impl), llama.cpp v0.5.0.
 */
function blockWeights(values: Float32Array, importance: Float32Array, sigma2: number) {
  const uniform = new Float32Array(values.length).fill(1);
  const peak = peakOf(importance);
  if (!(peak >= fround(1e-30))) return { weights: uniform, weighted: false };
  const inverse = fround(1 / peak);
  const weights = values.map((x, i) => {
    const square = Math.min(fround(sigma2 + fround(x * x)), largestSquare);
    return fround(importance[i]! * inverse) * fround(Math.sqrt(square));
  });
  if (laneSum(values.length, (i) => weights[i]!) === 0)
    return { weights: uniform, weighted: false };
  return { weights, weighted: true };
}

function meanSquare(row: Float32Array): number {
  const sum = wideLaneSum(row.length, (i) => row[i]! * row[i]!);
  return Math.min(fround(sum / row.length), largestSquare);
}

/** Makes an encoder from a block writer and the decoder that its error is measured with. */
export function blockEncoder(
  type: EncodableType,
  writeBlock: BlockWriter,
  decode: Decoder,
): Encoder {
  const { weights: width, bytes: size } = blockTypes[type];
  const ones = new Float32Array(width).fill(1);
  return (values, columns, out, importance) => {
    for (let row = 0; row < values.length; row += columns) {
      const sigma2 = importance ? meanSquare(values.subarray(row, row + columns)) : 0;
      for (let column = 0; column < columns; column += width) {
        const block = values.subarray(row + column, row + column + width);
        const { weights, weighted } = importance
          ? blockWeights(block, importance.subarray(column, column + width), sigma2)
          : { weights: ones, weighted: false };
        writeBlock(block, weights, out, ((row + column) / width) * size, weighted);
      }
    }
    return measure(values, columns, out, decode);
  };
}
