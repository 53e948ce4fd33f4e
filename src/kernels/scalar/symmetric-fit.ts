import { f16ToF32, f32ToF16, roundHalfEven } from '../../util/half-float.ts';
import type { FitBlock } from './fit-block.ts';

const f = Math.fround;
const negligible = f(1e-15);
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
  const snap = (ratio: number) => roundHalfEven(Math.min(Math.max(ratio, lowest), highest));
  return { lowest, highest, snap, nearest: snap };
}

/** Least-squares sums of a range of weights for given codes L: Σ w·x·L and Σ w·L². */
export interface Sums {
  wxl: number;
  wll: number;
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
  const sums = { wxl: 0, wll: 0 };
  for (let i = range.first; i < range.first + range.count; i++) {
    const code = snap(f(values[i]! * inverse));
    const weighted = f(weights[i]! * code);
    sums.wxl = f(sums.wxl + f(weighted * values[i]!));
    sums.wll = f(sums.wll + f(weighted * code));
  }
  return sums;
}

/** Which scales `fitScale` tries. */
export interface Search {
  /** What the weight of largest magnitude is divided into: grid units, of either sign. */
  readonly targets: readonly number[];
  /** Steps of alternating minimization (scale to codes to scale) from the best target. */
  readonly refinements: number;
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
  const inverseExtreme = inverseOf(extremeOf(range), negligible);
  let best = 0;
  let scale = 0;
  const attempt = (inverse: number) => {
    const { wxl, wll } = sumsAt(range, inverse, grid.snap);
    const score = f(f(wxl * wxl) / wll);
    if (!(score > best)) return;
    best = score;
    scale = f(wxl / wll);
  };
  for (const target of search.targets) attempt(f(f(target) * inverseExtreme));
  for (let step = 0; step < search.refinements; step++) attempt(inverseOf(scale));
  return scale;
}

/** 1 / value, or 0 when the magnitude of `value` is at most `threshold`. */
export function inverseOf(value: number, threshold = 0): number {
  return Math.abs(value) > threshold ? f(1 / value) : 0;
}

/** The weight of largest magnitude with its sign; the positive one of a tie. */
function extremeOf({ block, first, count }: Range): number {
  const values = block.values.subarray(first, first + count);
  const highest = values.reduce((high, value) => Math.max(high, value), 0);
  const lowest = values.reduce((low, value) => Math.min(low, value), 0);
  return highest >= -lowest ? highest : lowest;
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
