// The super-block's two half-precision steps d and dmin, and the integer scale and min code of each
// sub-block: x ≈ d · scaleCode · code − dmin · minCode, with the weight codes of the free fit held.
import {
  GAIN,
  MIN,
  MIN_CODE,
  SCALE,
  SCALE_CODE,
  SUM_L,
  SUM_LL,
  SUM_W,
  SUM_X,
  SUM_XL,
  groupAt,
  inverseOrZero,
  tiny,
} from './asymmetric-block';
import { groupCount, maxScale, topCount, tops } from './asymmetric-type';
import { halfToFloat, scaleToHalf } from './half';
import { all, laneMax, laneSum, limit, round } from './lanes';

/** Systems whose determinant is below this share of its diagonal product count as singular: 2^-20. */
const leastDeterminant: f32 = 9.5367431640625e-7;

// Fields of the fit that are not needed any more.
const SCALE_AT_ZERO: usize = GAIN;
const CODE_RATIO: usize = SCALE;

/** The stored steps, binary16 bits. */
export let stepHalf: u32 = 0;
export let minStepHalf: u32 = 0;

let step: f32 = 0;
let minStep: f32 = 0;

/**
 * Chooses d, dmin and the sub-scale codes. Each of the tops is the code that the largest
 * scale and min get at first; both steps are then refitted, and the best pair is kept.
 */
export function fitSteps(factor: f32): void {
  let steepest = all(0);
  let deepest = all(0);
  for (let g = 0; g < groupCount; g++) {
    const group = groupAt(g);
    steepest = f32x4.pmax(steepest, v128.load(group, SCALE));
    deepest = f32x4.pmax(deepest, f32x4.neg(v128.load(group, MIN)));
    const inverse = inverseOrZero(v128.load(group, SUM_LL));
    v128.store(group, f32x4.mul(v128.load(group, SUM_XL), inverse), SCALE_AT_ZERO);
    v128.store(group, f32x4.mul(v128.load(group, SUM_L), inverse), CODE_RATIO);
  }
  searchSteps(laneMax(steepest), laneMax(deepest));
  stepHalf = scaleToHalf(step / factor);
  minStepHalf = scaleToHalf(minStep / factor);
  step = halfToFloat(stepHalf) * factor;
  minStep = halfToFloat(minStepHalf) * factor;
  chooseSubScales();
}

function searchSteps(steepest: f32, deepest: f32): void {
  let bestLoss: f32 = Infinity;
  let bestStep: f32 = 0;
  let bestMinStep: f32 = 0;
  for (let at = tops, end = tops + <usize>topCount * 4; at < end; at += 4) {
    const top = f32.load(at);
    step = steepest / top;
    minStep = deepest / top;
    chooseSubScales();
    refitSteps();
    const loss = chooseSubScales();
    if (loss < bestLoss) {
      bestLoss = loss;
      bestStep = step;
      bestMinStep = minStep;
    }
  }
  step = bestStep;
  minStep = bestMinStep;
}

/** Picks each sub-block's codes under the current steps; returns the loss, less a constant. */
function chooseSubScales(): f32 {
  const inverseStep: f32 = step > tiny ? 1 / step : 0;
  const inverseMinStep: f32 = minStep > tiny ? 1 / minStep : 0;
  let total = all(0);
  for (let g = 0; g < groupCount; g++) {
    const group = groupAt(g);
    const exact = f32x4.mul(f32x4.neg(v128.load(group, MIN)), all(inverseMinStep));
    const lower = f32x4.floor(limit(exact, all(maxScale)));
    const upper = f32x4.pmin(f32x4.add(lower, all(1)), all(maxScale));
    const lowerScale = bestScaleCode(group, lower, inverseStep);
    const upperScale = bestScaleCode(group, upper, inverseStep);
    const lowerLoss = lossOf(group, lowerScale, lower);
    const upperLoss = lossOf(group, upperScale, upper);
    const better = f32x4.lt(upperLoss, lowerLoss);
    v128.store(group, v128.bitselect(upperScale, lowerScale, better), SCALE_CODE);
    v128.store(group, v128.bitselect(upper, lower, better), MIN_CODE);
    total = f32x4.add(total, v128.bitselect(upperLoss, lowerLoss, better));
  }
  return laneSum(total);
}

/** The scale code nearest to the least-squares scale under a given min code. */
// @ts-ignore: decorator
@inline
function bestScaleCode(group: usize, minCode: v128, inverseStep: f32): v128 {
  const min = f32x4.mul(all(minStep), minCode);
  const raised = f32x4.mul(min, v128.load(group, CODE_RATIO));
  const scale = f32x4.add(v128.load(group, SCALE_AT_ZERO), raised);
  return round(limit(f32x4.mul(scale, all(inverseStep)), all(maxScale)));
}

/** Σ w (x − x̂)² less Σ w x², x̂ = scale · L − min. */
// @ts-ignore: decorator
@inline
function lossOf(group: usize, scaleCode: v128, minCode: v128): v128 {
  const scale = f32x4.mul(all(step), scaleCode);
  const min = f32x4.mul(all(minStep), minCode);
  const sumXL = f32x4.add(v128.load(group, SUM_XL), f32x4.mul(min, v128.load(group, SUM_L)));
  const sumX = v128.load(group, SUM_X);
  const byScale = f32x4.sub(f32x4.mul(scale, v128.load(group, SUM_LL)), f32x4.add(sumXL, sumXL));
  const byMin = f32x4.add(f32x4.mul(min, v128.load(group, SUM_W)), f32x4.add(sumX, sumX));
  return f32x4.add(f32x4.mul(scale, byScale), f32x4.mul(min, byMin));
}

/** Least-squares steps under the current sub-scale codes. */
function refitSteps(): void {
  let scaleScale = all(0);
  let scaleMin = all(0);
  let minMin = all(0);
  let scaleX = all(0);
  let minX = all(0);
  for (let g = 0; g < groupCount; g++) {
    const group = groupAt(g);
    const scale = v128.load(group, SCALE_CODE);
    const min = v128.load(group, MIN_CODE);
    const scaledL = f32x4.mul(scale, v128.load(group, SUM_L));
    const scaledLL = f32x4.mul(scale, v128.load(group, SUM_LL));
    scaleScale = f32x4.add(scaleScale, f32x4.mul(scale, scaledLL));
    scaleMin = f32x4.add(scaleMin, f32x4.mul(min, scaledL));
    minMin = f32x4.add(minMin, f32x4.mul(min, f32x4.mul(min, v128.load(group, SUM_W))));
    scaleX = f32x4.add(scaleX, f32x4.mul(scale, v128.load(group, SUM_XL)));
    minX = f32x4.sub(minX, f32x4.mul(min, v128.load(group, SUM_X)));
  }
  solveSteps(
    laneSum(scaleScale),
    laneSum(scaleMin),
    laneSum(minMin),
    laneSum(scaleX),
    laneSum(minX),
  );
}

/** Minimises ss·d² − 2·sm·d·n + mm·n² − 2·sx·d − 2·mx·n over the steps d, n >= 0. */
function solveSteps(ss: f32, sm: f32, mm: f32, sx: f32, mx: f32): void {
  const determinant = ss * mm - sm * sm;
  if (determinant > ss * mm * leastDeterminant) {
    step = (sx * mm + sm * mx) / determinant;
    minStep = (ss * mx + sm * sx) / determinant;
    if (step > 0 && minStep > 0) return;
  }
  const stepAlone: f32 = ss > 0 ? max<f32>(sx / ss, 0) : 0;
  const minStepAlone: f32 = mm > 0 ? max<f32>(mx / mm, 0) : 0;
  const scalesMatter = stepAlone * sx >= minStepAlone * mx;
  step = scalesMatter ? stepAlone : 0;
  minStep = scalesMatter ? 0 : minStepAlone;
}
