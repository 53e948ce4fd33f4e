// Weighted least squares x ≈ scale · code + min with min <= 0, for the four sub-blocks of a group.
import {
  GAIN,
  INVERSE_RANGE,
  INVERSE_W,
  LOWEST,
  MEAN_X,
  MIN,
  SCALE,
  SUM_L,
  SUM_LL,
  SUM_X,
  SUM_XL,
  elementBytes,
  elementsAt,
  groupAt,
  inverseOrZero,
} from './asymmetric-block';
import { maxCode, startCount, starts } from './asymmetric-type';
import { all, limit, round } from './lanes';

/** Codes whose weighted variance is below this share of their mean square count as equal: 2^-20. */
const leastSpread: f32 = 9.5367431640625e-7;

/**
 * Rounds the weights under each start, solves for the best scale and min of those codes and keeps
 * the best; then rounds once more under the best fit. A start is a pair: levels that span the range
 * of x, and how many of them code 0 lies above the lowest x.
 */
export function fitGroup(index: i32): void {
  const group = groupAt(index);
  fitConstant(group);
  const inverseRange = v128.load(group, INVERSE_RANGE);
  const lowest = f32x4.mul(v128.load(group, LOWEST), inverseRange);
  for (let at = starts, end = starts + <usize>startCount * 8; at < end; at += 8) {
    const levels = v128.load32_splat(at);
    const inverse = f32x4.mul(inverseRange, levels);
    const zero = f32x4.add(f32x4.mul(lowest, levels), v128.load32_splat(at, 4));
    tryCodes(index, inverse, f32x4.neg(zero));
  }
  const inverse = inverseOrZero(v128.load(group, SCALE));
  tryCodes(index, inverse, f32x4.neg(f32x4.mul(v128.load(group, MIN), inverse)));
}

/** The fit whose codes are all 0: min is the mean, or 0 where the mean is positive. */
function fitConstant(group: usize): void {
  const mean = v128.load(group, MEAN_X);
  const loss = f32x4.mul(v128.load(group, SUM_X), f32x4.pmax(mean, all(0)));
  v128.store(group, f32x4.neg(loss), GAIN);
  v128.store(group, all(0), SCALE);
  v128.store(group, f32x4.pmin(mean, all(0)), MIN);
  v128.store(group, all(0), SUM_L);
  v128.store(group, all(0), SUM_LL);
  v128.store(group, all(0), SUM_XL);
}

/**
 * Solves for the scale and min of the codes L = round(x · inverse + offset), keeps them where they
 * beat the best so far. GAIN is Σ w (x − mean)² − Σ w (x − x̂)².
 */
function tryCodes(index: i32, inverse: v128, offset: v128): void {
  let sumL = all(0);
  let sumLL = all(0);
  let sumXL = all(0);
  let at = elementsAt(index);
  const most = all(maxCode);
  for (const end = elementsAt(index + 1); at < end; at += elementBytes) {
    const code = round(limit(f32x4.add(f32x4.mul(v128.load(at), inverse), offset), most));
    const weighted = f32x4.mul(v128.load(at, 16), code);
    sumL = f32x4.add(sumL, weighted);
    sumLL = f32x4.add(sumLL, f32x4.mul(weighted, code));
    sumXL = f32x4.add(sumXL, f32x4.mul(v128.load(at, 32), code));
  }

  const group = groupAt(index);
  const sumX = v128.load(group, SUM_X);
  const meanX = v128.load(group, MEAN_X);
  const meanL = f32x4.mul(sumL, v128.load(group, INVERSE_W));
  const spread = f32x4.sub(sumLL, f32x4.mul(sumL, meanL));
  const covariance = f32x4.sub(sumXL, f32x4.mul(sumX, meanL));
  const freeScale = f32x4.div(covariance, spread);
  const freeMin = f32x4.sub(meanX, f32x4.mul(freeScale, meanL));
  const free = v128.and(
    f32x4.le(freeMin, all(0)),
    f32x4.gt(spread, f32x4.mul(sumLL, all(leastSpread))),
  );
  const scaleAtZero = f32x4.div(sumXL, sumLL);
  const gainAtZero = f32x4.sub(f32x4.mul(sumXL, scaleAtZero), f32x4.mul(sumX, meanX));

  const gain = v128.bitselect(f32x4.mul(covariance, freeScale), gainAtZero, free);
  const scale = v128.bitselect(freeScale, scaleAtZero, free);
  const better = v128.and(f32x4.gt(gain, v128.load(group, GAIN)), f32x4.gt(scale, all(0)));
  keep(group + GAIN, gain, better);
  keep(group + SCALE, scale, better);
  keep(group + MIN, v128.and(freeMin, free), better);
  keep(group + SUM_L, sumL, better);
  keep(group + SUM_LL, sumLL, better);
  keep(group + SUM_XL, sumXL, better);
}

// @ts-ignore: decorator
@inline
function keep(at: usize, value: v128, where: v128): void {
  v128.store(at, v128.bitselect(value, v128.load(at), where));
}
