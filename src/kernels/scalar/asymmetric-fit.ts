import { roundHalfEven } from '../../util/half-float.ts';
import type { SubBlock, WeighedBlock } from './asymmetric-block.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { f32, inverseOrZero, limit } from './f32.ts';

/** Codes whose weighted variance is below this share of their mean square count as all equal. */
const leastSpread = 2 ** -20;

/** Sums over the codes L of a sub-block: Σ w L, Σ w L², Σ w x L. */
interface CodeSums {
  readonly sumL: number;
  readonly sumLL: number;
  readonly sumXL: number;
}

/** x ≈ scale · code + min with min <= 0. */
interface Line {
  readonly scale: number;
  readonly min: number;
  /** What it gains over the weighted mean: Σ w (x − mean)² less Σ w (x − x̂)². */
  readonly gain: number;
}

/** A fitted sub-block. */
export interface SubBlockFit extends CodeSums, Line {}

/**
 * Fits scale and min of a sub-block by weighted least squares: rounds the weights under each start,
 * solves for the best scale and min of those codes, keeps the best, and rounds once more under it.
 *
 * @see make_qkx3_quants, ggml-quants.c, llama.cpp v0.5.0. Differs: fewer starts, spread over range
 * and offset instead of range alone; the error of a start comes from its sums, without a second
 * pass over the weights; the last round alternates codes and scales.
 */
export function fitSubBlock(type: AsymmetricType, block: WeighedBlock, sub: SubBlock): SubBlockFit {
  const { maxCode } = type;
  let best = constantFit(sub);
  const lowest = f32(sub.lowest * sub.inverseRange);
  for (const [levels, zero] of type.starts) {
    const inverse = f32(sub.inverseRange * f32(levels));
    const offset = -f32(f32(lowest * f32(levels)) + f32(zero));
    best = better(best, sub, sumCodes(block, sub, { inverse, offset, maxCode }));
  }
  const inverse = inverseOrZero(best.scale);
  const offset = -f32(best.min * inverse);
  return better(best, sub, sumCodes(block, sub, { inverse, offset, maxCode }));
}

/** All codes 0: min is the mean, or 0 where the mean is positive. */
function constantFit({ sumX, meanX }: SubBlock): SubBlockFit {
  const gain = -f32(sumX * Math.max(meanX, 0));
  return { gain, scale: 0, min: Math.min(meanX, 0), sumL: 0, sumLL: 0, sumXL: 0 };
}

/** Sums of the codes round(x · inverse + offset), limited to 0 … maxCode. */
function sumCodes(
  { x, w, wx }: WeighedBlock,
  { start, end }: SubBlock,
  rounding: { inverse: number; offset: number; maxCode: number },
): CodeSums {
  const { inverse, offset, maxCode } = rounding;
  let sumL = 0;
  let sumLL = 0;
  let sumXL = 0;
  for (let i = start; i < end; i++) {
    const code = roundHalfEven(limit(f32(f32(x[i]! * inverse) + offset), maxCode));
    const weighted = f32(w[i]! * code);
    sumL = f32(sumL + weighted);
    sumLL = f32(sumLL + f32(weighted * code));
    sumXL = f32(sumXL + f32(wx[i]! * code));
  }
  return { sumL, sumLL, sumXL };
}

function better(best: SubBlockFit, sub: SubBlock, sums: CodeSums): SubBlockFit {
  const { scale, min, gain } = lineThrough(sub, sums);
  if (!(gain > best.gain && scale > 0)) return best;
  const { sumL, sumLL, sumXL } = sums;
  return { scale, min, gain, sumL, sumLL, sumXL };
}

/** The best scale and min <= 0 for given codes; NaN where all codes are 0. */
function lineThrough(sub: SubBlock, { sumL, sumLL, sumXL }: CodeSums): Line {
  const meanL = f32(sumL * sub.inverseW);
  const spread = f32(sumLL - f32(sumL * meanL));
  if (spread > f32(sumLL * leastSpread)) {
    const covariance = f32(sumXL - f32(sub.sumX * meanL));
    const scale = f32(covariance / spread);
    const min = f32(sub.meanX - f32(scale * meanL));
    if (min <= 0) return { scale, min, gain: f32(covariance * scale) };
  }
  const scale = f32(sumXL / sumLL);
  return { scale, min: 0, gain: f32(f32(sumXL * scale) - f32(sub.sumX * sub.meanX)) };
}
