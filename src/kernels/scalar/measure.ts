import type { Decoder, EncodeError } from '../kernels.ts';
import { doubleLaneSum, wideLaneSum } from './lanes.ts';

const { fround } = Math;

/** Values summed in f32 before their sum joins the f64 total. */
const chunk = 256;

/** A chunk with Σ x² in this range is summed in f32: nothing overflows, nothing that counts underflows. */
const safe = { from: fround(1e-20), to: fround(1e30) };

function chunkSums(values: Float32Array, decoded: Float32Array): EncodeError {
  const count = values.length;
  const difference = (i: number) => fround(values[i]! - decoded[i]!);
  const norm = count % 8 === 0 ? doubleLaneSum(count, (i) => values[i]! ** 2) : 0;
  if (norm > safe.from && norm < safe.to)
    return { squaredNorm: norm, squaredError: doubleLaneSum(count, (i) => difference(i) ** 2) };
  return {
    squaredNorm: wideLaneSum(count, (i) => values[i]! ** 2),
    squaredError: wideLaneSum(count, (i) => difference(i) ** 2),
  };
}

/**
 * The error of what was written, as the decoder reads it: chunks of a row in f32, or in f64 where
 * values are extreme, their sums in f64. Exact but for the rounding of the sums, about 1e-6.
 */
export function measure(
  values: Float32Array,
  columns: number,
  out: Uint8Array,
  decode: Decoder,
): EncodeError {
  const decoded = new Float32Array(values.length);
  decode(out, decoded);
  const total = { squaredError: 0, squaredNorm: 0 };
  for (let row = 0; row < values.length; row += columns) {
    for (let at = row; at < row + columns; at += chunk) {
      const end = Math.min(at + chunk, row + columns);
      const sums = chunkSums(values.subarray(at, end), decoded.subarray(at, end));
      total.squaredError += sums.squaredError;
      total.squaredNorm += sums.squaredNorm;
    }
  }
  return total;
}
