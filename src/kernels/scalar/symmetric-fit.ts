import { f16ToF32, f32ToF16 } from '../../util/half-float.ts';
import type { FitBlock } from './fit-block.ts';

const f = Math.fround;
/** Sub-blocks below this share of the block's largest weight get the scale 0. */
const negligible = 2 ** -20;
const largestHalf = 65504;

/** The values that codes stand for before they are multiplied with a scale. */
export interface Grid {
  readonly lowest: number;
  readonly highest: number;
  /** The nearest grid value, or one that is almost as near: what the search for scales uses. */
  readonly snap: (ratio: number) => number;
  /** The nearest grid value. */
  readonly nearest: (ratio: number) => number;
}

/** The integers from `lowest` to `highest`. */
export function linearGrid(lowest: number, highest: number): Grid {
  const snap = (ratio: number) => roundSmall(Math.min(Math.max(ratio, lowest), highest));
  return { lowest, highest, snap, nearest: snap };
}

/** Rounds a number below 2^22 to the nearest integer, ties to even: f32 has no bits left for more. */
export function roundSmall(value: number): number {
  return f(value + 12582912) - 12582912;
}

/** Least-squares sums of a range of weights for given codes L: Σ w·x·L and Σ w·L². */
export interface Sums {
  readonly wxl: number;
  readonly wll: number;
}

/** Weights `first` … `first + count − 1` of a block. */
export interface Range {
  readonly block: FitBlock;
  readonly first: number;
  readonly count: number;
}

/** Snaps every weight of the range times `inverse` to `snap`'s grid and sums, in f32. */
export function sumsAt(range: Range, inverse: number, snap: Grid['snap']): Sums {
  const { values, weights } = range.block;
  let wxl = 0;
  let wll = 0;
  for (let i = range.first; i < range.first + range.count; i++) {
    const code = snap(f(values[i]! * inverse));
    const weighted = f(weights[i]! * code);
    wxl = f(wxl + f(weighted * values[i]!));
    wll = f(wll + f(weighted * code));
  }
  return { wxl, wll };
}

/**
 * Which scales `fitScale` tries.
 *
 * The searches of the types were chosen by their final errors, weighted and plain, on Gaussian and
 * Student-t (3 degrees) weights and those of the model in the box: fewer targets on both signs beat
 * more on one, because the grids reach further below 0 than above.
 */
export interface Search {
  /** What the weight of largest magnitude is divided into: grid units, of either sign. */
  readonly targets: readonly number[];
  /** Steps of alternating minimization (scale to codes to scale) from the best target. */
  readonly refinements: number;
  /** Of a super-block: what is added to the nearest integer sub-scale to find the best one. */
  readonly subScaleSteps: readonly number[];
}

/**
 * The scale s that makes Σ w (x − s·L)² smallest among those tried, L being the nearest codes.
 *
 * A trial rounds to codes and keeps their least-squares scale ΣwxL / ΣwL², whose error is
 * Σwx² − (ΣwxL)² / ΣwL²: one pass, no second look at the weights. Returns 0 when all are 0.
 *
 * @see ggml-quants.c make_qx_quants, which tries 19 targets of one sign and does not refine.
 */
export function fitScale(range: Range, grid: Grid, search: Search): number {
  const inverseExtreme = inverseOf(extremeOf(valuesOf(range)), negligible);
  let best: Sums = { wxl: 0, wll: 1 };
  const attempt = (inverse: number) => {
    const sums = sumsAt(range, inverse, grid.snap);
    const score = f(f(sums.wxl * sums.wxl) * best.wll);
    if (score > f(f(best.wxl * best.wxl) * sums.wll)) best = sums;
  };
  for (const target of search.targets) attempt(f(f(target) * inverseExtreme));
  for (let step = 0; step < search.refinements; step++)
    attempt(best.wxl === 0 ? 0 : f(best.wll / best.wxl));
  return f(best.wxl / best.wll);
}

/** 1 / value, or 0 when the magnitude of `value` is at most `threshold`. */
export function inverseOf(value: number, threshold = 0): number {
  return Math.abs(value) > threshold ? f(1 / value) : 0;
}

/** The number of largest magnitude with its sign; the positive one of a tie. */
export function extremeOf(numbers: ArrayLike<number>): number {
  let highest = 0;
  let lowest = 0;
  for (let i = 0; i < numbers.length; i++) {
    highest = Math.max(highest, numbers[i]!);
    lowest = Math.min(lowest, numbers[i]!);
  }
  return highest >= -lowest ? highest : lowest;
}

function valuesOf({ block, first, count }: Range): Float32Array {
  return block.values.subarray(first, first + count);
}

/** A block's scale as it is stored: binary16 bits, and its value in the block's unit. */
export interface HalfScale {
  readonly bits: number;
  readonly value: number;
}

/** Rounds a scale (in units of `unit`) to binary16, limited to ±65504. */
export function halfScale(scale: number, unit: number): HalfScale {
  const real = Math.min(Math.max(f(scale * unit), -largestHalf), largestHalf);
  return storedScale(f32ToF16(real), unit);
}

/** The scale that binary16 bits stand for. */
export function storedScale(bits: number, unit: number): HalfScale {
  return { bits, value: f(f16ToF32(bits) / unit) };
}
