import { f16ToF32, roundHalfEven } from '../../util/half-float.ts';
import type { SubBlock } from './asymmetric-block.ts';
import type { SubBlockFit } from './asymmetric-fit.ts';
import type { AsymmetricType } from './asymmetric-type.ts';
import { scaleToHalf } from './encoder.ts';
import { f32, inverseOrZero, limit } from './f32.ts';
import { laneSum } from './lanes.ts';

/** Systems whose determinant is below this share of its diagonal product count as singular. */
const leastDeterminant = 2 ** -20;

/** d and dmin, in the units of the normalized weights. */
interface Steps {
  readonly step: number;
  readonly minStep: number;
}

interface SubScales {
  readonly scaleCodes: readonly number[];
  readonly minCodes: readonly number[];
  /** Σ w (x − x̂)² less Σ w x². */
  readonly loss: number;
}

/** The integers and f16 bits of a super-block, weight codes excepted. */
export interface StoredScales extends SubScales {
  readonly stepHalf: number;
  readonly minStepHalf: number;
}

/** A sub-block and the codes it was fitted with. */
export interface FittedBlock {
  readonly sub: SubBlock;
  readonly fit: SubBlockFit;
}

/**
 * Chooses d, dmin and the sub-scale codes for the weight codes that the sub-blocks were fitted with.
 *
 * Steps that put the largest scale and min at each of `type.tops` are tried: each sub-block takes
 * the codes with least error, both steps are solved for by least squares, the codes taken anew.
 * ggml (`make_qp_quants`) fits scales and mins apart from each other and keeps them afterwards.
 */
export function fitSteps(
  type: AsymmetricType,
  blocks: readonly FittedBlock[],
  factor: number,
): StoredScales {
  const { step, minStep } = searchSteps(type, blocks);
  const stepHalf = scaleToHalf(f32(step / factor));
  const minStepHalf = scaleToHalf(f32(minStep / factor));
  const rounded = {
    step: f32(f16ToF32(stepHalf) * factor),
    minStep: f32(f16ToF32(minStepHalf) * factor),
  };
  return { ...chooseSubScales(type, blocks, rounded), stepHalf, minStepHalf };
}

function searchSteps(type: AsymmetricType, blocks: readonly FittedBlock[]): Steps {
  const steepest = Math.max(0, ...blocks.map(({ fit }) => fit.scale));
  const deepest = Math.max(0, ...blocks.map(({ fit }) => -fit.min));
  let best: Steps = { step: 0, minStep: 0 };
  let leastLoss = Infinity;
  for (const top of type.tops) {
    const start = { step: f32(steepest / top), minStep: f32(deepest / top) };
    const steps = refitSteps(blocks, chooseSubScales(type, blocks, start));
    const { loss } = chooseSubScales(type, blocks, steps);
    if (loss < leastLoss) {
      leastLoss = loss;
      best = steps;
    }
  }
  return best;
}

function chooseSubScales(
  type: AsymmetricType,
  blocks: readonly FittedBlock[],
  steps: Steps,
): SubScales {
  const chosen = blocks.map((block) => chooseSubScale(type.maxScale, block, steps));
  return {
    scaleCodes: chosen.map(({ scaleCode }) => scaleCode),
    minCodes: chosen.map(({ minCode }) => minCode),
    loss: laneSum(chosen.length, (j) => chosen[j]!.loss),
  };
}

/** Of the two min codes around the fitted min, each with its best scale code, the better pair. */
function chooseSubScale(maxScale: number, block: FittedBlock, { step, minStep }: Steps) {
  const exact = f32(-block.fit.min * inverseOrZero(minStep));
  const lower = Math.floor(limit(exact, maxScale));
  const pairs = [lower, Math.min(lower + 1, maxScale)].map((minCode) => {
    const min = f32(minStep * minCode);
    const scaleCode = bestScaleCode(block.fit, min, inverseOrZero(step), maxScale);
    return { scaleCode, minCode, loss: lossOf(block, f32(step * scaleCode), min) };
  });
  return pairs[1]!.loss < pairs[0]!.loss ? pairs[1]! : pairs[0]!;
}

/** The code nearest to the least-squares scale under a given min. */
function bestScaleCode(
  { sumL, sumLL, sumXL }: SubBlockFit,
  min: number,
  inverseStep: number,
  maxScale: number,
): number {
  const inverse = inverseOrZero(sumLL);
  const scale = f32(f32(sumXL * inverse) + f32(min * f32(sumL * inverse)));
  return roundHalfEven(limit(f32(scale * inverseStep), maxScale));
}

/** Σ w (x − x̂)² less Σ w x², x̂ = scale · code − min. */
function lossOf({ sub, fit }: FittedBlock, scale: number, min: number): number {
  const sumXL = f32(fit.sumXL + f32(min * fit.sumL));
  const byScale = f32(f32(scale * fit.sumLL) - f32(sumXL + sumXL));
  const byMin = f32(f32(min * sub.sumW) + f32(sub.sumX + sub.sumX));
  return f32(f32(scale * byScale) + f32(min * byMin));
}

/** Least-squares steps under given sub-scale codes. */
function refitSteps(blocks: readonly FittedBlock[], { scaleCodes, minCodes }: SubScales): Steps {
  const sum = (term: (block: FittedBlock, scaleCode: number, minCode: number) => number) =>
    laneSum(blocks.length, (j) => term(blocks[j]!, scaleCodes[j]!, minCodes[j]!));
  return solveSteps({
    ss: sum(({ fit }, scale) => scale * f32(scale * fit.sumLL)),
    sm: sum(({ fit }, scale, min) => min * f32(scale * fit.sumL)),
    mm: sum(({ sub }, _, min) => min * f32(min * sub.sumW)),
    sx: sum(({ fit }, scale) => scale * fit.sumXL),
    mx: -sum(({ sub }, _, min) => min * sub.sumX),
  });
}

/** Minimises ss·d² − 2·sm·d·n + mm·n² − 2·sx·d − 2·mx·n over the steps d, n >= 0. */
function solveSteps(system: Record<'ss' | 'sm' | 'mm' | 'sx' | 'mx', number>): Steps {
  const { ss, sm, mm, sx, mx } = system;
  const product = f32(ss * mm);
  const determinant = f32(product - f32(sm * sm));
  if (determinant > f32(product * leastDeterminant)) {
    const step = f32(f32(f32(sx * mm) + f32(sm * mx)) / determinant);
    const minStep = f32(f32(f32(ss * mx) + f32(sm * sx)) / determinant);
    if (step > 0 && minStep > 0) return { step, minStep };
  }
  const stepAlone = ss > 0 ? Math.max(f32(sx / ss), 0) : 0;
  const minStepAlone = mm > 0 ? Math.max(f32(mx / mm), 0) : 0;
  const scalesMatter = f32(stepAlone * sx) >= f32(minStepAlone * mx);
  return scalesMatter ? { step: stepAlone, minStep: 0 } : { step: 0, minStep: minStepAlone };
}
