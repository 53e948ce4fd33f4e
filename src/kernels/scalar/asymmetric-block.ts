import type { AsymmetricType } from './asymmetric-type.ts';
import { f32, inverseOrZero } from './f32.ts';
import { powerOfTwoBelow } from './fit-block.ts';
import { laneSum } from './lanes.ts';

/** Importance below this share of the super-block's largest is raised to it. */
const importanceFloor = 2 ** -20;

/** One sub-block ready to be fitted. */
export interface SubBlock {
  /** The weights, divided by a power of two near the super-block's largest. */
  readonly x: Float32Array;
  /** Weight of each squared error, and w · x. */
  readonly w: Float32Array;
  readonly wx: Float32Array;
  readonly sumW: number;
  readonly sumX: number;
  readonly inverseW: number;
  readonly meanX: number;
  /** min(x, 0), and 1 / (max − that). */
  readonly lowest: number;
  readonly inverseRange: number;
}

/**
 * Cuts 256 weights into sub-blocks and weighs their errors as ggml does (`quantize_row_q4_K_impl`
 * and `_ref`, llama.cpp v0.5.0; Q2_K without importance: squares weighed by |x| instead of
 * absolute values).
 *
 * Weights and importance are first scaled by powers of two, so that nothing overflows or vanishes
 * for any finite input. Columns of next to no importance keep 2^-20 of the largest; without any
 * importance above 0 in the super-block the form without importance is used.
 * Returns the power of two that the weights were multiplied with.
 */
export function layOut(
  type: AsymmetricType,
  values: Float32Array,
  importance: Float32Array | undefined,
): { blocks: SubBlock[]; factor: number } {
  const factor = 1 / powerOfTwoBelow(values.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
  const scaled = values.map((x) => x * factor);
  const rows = cut(scaled, type.subLength);
  const squares = rows.map(sumOfSquares);
  const mostImportant = importance?.reduce((most, v) => Math.max(most, v), 0) ?? 0;
  if (!importance || mostImportant === 0) {
    const blocks = rows.map((x, j) => subBlock(x, magnitudeWeights(type, x, squares[j]!)));
    return { blocks, factor };
  }
  const variance = f32(f32(laneSum(squares.length, (j) => squares[j]!) * type.variances) / 256);
  const unit = powerOfTwoBelow(mostImportant);
  const scaledImportance = importance.map((v) => Math.max(f32(v / unit), importanceFloor));
  const v = cut(scaledImportance, type.subLength);
  const blocks = rows.map((x, j) => subBlock(x, importanceWeights(x, v[j]!, variance)));
  return { blocks, factor };
}

function cut(values: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: values.length / length }, (_, j) =>
    values.subarray(j * length, (j + 1) * length),
  );
}

function sumOfSquares(x: Float32Array): number {
  return x.reduce((sum, value) => f32(sum + f32(value * value)), 0);
}

function magnitudeWeights(type: AsymmetricType, x: Float32Array, squares: number): Float32Array {
  const rms = f32(Math.sqrt(f32(squares / type.subLength)));
  const base = f32(rms * type.rmsShare);
  return x.map((value) => base + Math.abs(value));
}

function importanceWeights(x: Float32Array, v: Float32Array, variance: number): Float32Array {
  return x.map((value, i) => {
    const spread = f32(Math.sqrt(f32(variance + f32(value * value))));
    return v[i]! * spread;
  });
}

function subBlock(x: Float32Array, w: Float32Array): SubBlock {
  const wx = x.map((value, i) => w[i]! * value);
  const sum = (values: Float32Array) => values.reduce((sum, value) => f32(sum + value), 0);
  const sumW = sum(w);
  const sumX = sum(wx);
  const inverseW = inverseOrZero(sumW);
  const lowest = Math.min(0, ...x);
  const inverseRange = inverseOrZero(f32(Math.max(...x) - lowest));
  return { x, w, wx, sumW, sumX, inverseW, meanX: f32(sumX * inverseW), lowest, inverseRange };
}
