import type { AsymmetricType } from './asymmetric-type.ts';
import { f32, inverseOrZero } from './f32.ts';
import { powerOfTwoBelow } from './fit-block.ts';
import { laneSum } from './lanes.ts';

const superBlock = 256;
/** Importance below this share of the super-block's largest is raised to it. */
const importanceFloor = 2 ** -20;

/** 256 weights ready to be fitted. */
export interface WeighedBlock {
  /** The weights, divided by a power of two near the largest. */
  readonly x: Float32Array;
  /** What the squared error of each counts, and w · x. */
  readonly w: Float32Array;
  readonly wx: Float32Array;
  /** The power of two that the weights were multiplied with. */
  readonly factor: number;
}

/** Weights `start` … `end` − 1 of a super-block. */
export interface SubBlock {
  readonly start: number;
  readonly end: number;
  readonly sumW: number;
  readonly sumX: number;
  readonly inverseW: number;
  readonly meanX: number;
  /** min(x, 0), and 1 / (max − that). */
  readonly lowest: number;
  readonly inverseRange: number;
}

/**
 * Weighs the errors of 256 weights as ggml does (`quantize_row_q4_K_impl` and `_ref`, llama.cpp
 * v0.5.0). One difference: Q2_K without importance weighs squares by |x|, ggml absolute values.
 *
 * Weights and importance are first scaled by powers of two, so that nothing overflows or vanishes
 * for any finite input. Columns of next to no importance keep 2^-20 of the largest; without any
 * importance above 0 in the super-block the form without importance is used.
 */
export function weigh(
  type: AsymmetricType,
  values: Float32Array,
  importance: Float32Array | undefined,
): WeighedBlock {
  const factor = 1 / powerOfTwoBelow(largestOf(values));
  const x = values.map((value) => value * factor);
  const mostImportant = importance ? largestOf(importance) : 0;
  const w =
    importance && mostImportant > 0
      ? importanceWeights(type, x, importance, powerOfTwoBelow(mostImportant))
      : magnitudeWeights(type, x);
  return { x, w, wx: w.map((weight, i) => weight * x[i]!), factor };
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function magnitudeWeights(type: AsymmetricType, x: Float32Array): Float32Array {
  const bases = squaresOf(type, x).map((squares) => {
    const rms = f32(Math.sqrt(f32(squares / type.subLength)));
    return f32(rms * type.rmsShare);
  });
  return x.map((value, i) => bases[Math.floor(i / type.subLength)]! + Math.abs(value));
}

function importanceWeights(
  type: AsymmetricType,
  x: Float32Array,
  importance: Float32Array,
  unit: number,
): Float32Array {
  const squares = squaresOf(type, x);
  const total = laneSum(squares.length, (j) => squares[j]!);
  const variance = f32(f32(total * type.variances) / superBlock);
  return x.map((value, i) => {
    const v = Math.max(f32(importance[i]! / unit), importanceFloor);
    return v * f32(Math.sqrt(f32(variance + f32(value * value))));
  });
}

/** Σ x² of each sub-block. */
function squaresOf(type: AsymmetricType, x: Float32Array): number[] {
  const squares = Array.from({ length: superBlock / type.subLength }, () => 0);
  for (let i = 0; i < superBlock; i++) {
    const j = Math.floor(i / type.subLength);
    squares[j] = f32(squares[j]! + f32(x[i]! * x[i]!));
  }
  return squares;
}

/** Cuts a super-block into sub-blocks. */
export function cut(type: AsymmetricType, block: WeighedBlock): SubBlock[] {
  return Array.from({ length: superBlock / type.subLength }, (_, j) =>
    subBlock(block, j * type.subLength, (j + 1) * type.subLength),
  );
}

function subBlock({ x, w, wx }: WeighedBlock, start: number, end: number): SubBlock {
  let sumW = 0;
  let sumX = 0;
  let lowest = 0;
  let highest = -Infinity;
  for (let i = start; i < end; i++) {
    sumW = f32(sumW + w[i]!);
    sumX = f32(sumX + wx[i]!);
    lowest = Math.min(lowest, x[i]!);
    highest = Math.max(highest, x[i]!);
  }
  const inverseW = inverseOrZero(sumW);
  const inverseRange = inverseOrZero(f32(highest - lowest));
  return { start, end, sumW, sumX, inverseW, meanX: f32(sumX * inverseW), lowest, inverseRange };
}
