import { roundHalfEven } from '../../util/half-float.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import type { SubBlock } from './asymmetric-block.ts';
import { f32, inverseOrZero, limit } from './f32.ts';

/** Codes whose weighted variance is below this share of their mean square count as all equal. */
const leastSpread = 2 ** -20;

/** Sums over the codes L of a sub-block. */
export interface CodeSums {
  readonly sumL: number;
  readonly sumLL: number;
  readonly sumXL: number;
}

/** x ≈ scale · code + min, min <= 0, and what it gains over the weighted mean: Σ w (x − mean)² less Σ w (x − x̂)². */
export interface SubBlockFit extends CodeSums {
  readonly gain: number;
  readonly scale: number;
  readonly min: number;
}

/**
 * Fits scale and min of a sub-block by weighted least squares: rounds the weights under each start,
 * solves for the best scale and min of those codes, keeps the best, and rounds once more under it.
 *
 * @see make_qkx3_quants, ggml-quants.c, llama.cpp v0.5.0. Differs: fewer starts, spread over range
 * and offset instead of range alone; the error of a start comes from its sums, without a second
 * pass over the weights; the last round alternates codes and scales.
 */
export function fitSubBlock(type: AsymmetricType, block: SubBlock): SubBlockFit {
  let best = constantFit(block);
  const lowest = f32(block.lowest * block.inverseRange);
  for (const [levels, zero] of type.starts) {
    const inverse = f32(block.inverseRange * f32(levels));
    const offset = -f32(f32(lowest * f32(levels)) + f32(zero));
    best = better(best, fitCodes(block, sumCodes(block, inverse, offset, type.maxCode)));
  }
  const inverse = inverseOrZero(best.scale);
  const offset = -f32(best.min * inverse);
  return better(best, fitCodes(block, sumCodes(block, inverse, offset, type.maxCode)));
}

/** All codes 0: min is the mean, or 0 where the mean is positive. */
function constantFit({ sumX, meanX }: SubBlock): SubBlockFit {
  const gain = -f32(sumX * Math.max(meanX, 0));
  return { gain, scale: 0, min: Math.min(meanX, 0), sumL: 0, sumLL: 0, sumXL: 0 };
}

/** Sums of the codes round(x · inverse + offset). */
function sumCodes(block: SubBlock, inverse: number, offset: number, maxCode: number): CodeSums {
  let sumL = 0;
  let sumLL = 0;
  let sumXL = 0;
  for (let i = 0; i < block.x.length; i++) {
    const code = roundHalfEven(limit(f32(f32(block.x[i]! * inverse) + offset), maxCode));
    const weighted = f32(block.w[i]! * code);
    sumL = f32(sumL + weighted);
    sumLL = f32(sumLL + f32(weighted * code));
    sumXL = f32(sumXL + f32(block.wx[i]! * code));
  }
  return { sumL, sumLL, sumXL };
}

/** The best scale and min <= 0 for given codes; undefined where neither is determined. */
function fitCodes(block: SubBlock, sums: CodeSums): SubBlockFit | undefined {
  const { sumL, sumLL, sumXL } = sums;
  const meanL = f32(sumL * block.inverseW);
  const spread = f32(sumLL - f32(sumL * meanL));
  if (spread > f32(sumLL * leastSpread)) {
    const covariance = f32(sumXL - f32(block.sumX * meanL));
    const scale = f32(covariance / spread);
    const min = f32(block.meanX - f32(scale * meanL));
    if (min <= 0) return { ...sums, gain: f32(covariance * scale), scale, min };
  }
  if (sumLL === 0) return undefined;
  const scale = f32(sumXL / sumLL);
  const gain = f32(f32(sumXL * scale) - f32(block.sumX * block.meanX));
  return { ...sums, gain, scale, min: 0 };
}

function better(best: SubBlockFit, found: SubBlockFit | undefined): SubBlockFit {
  return found && found.gain > best.gain && found.scale > 0 ? found : best;
}
