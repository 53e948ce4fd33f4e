import { roundHalfEven } from '../../util/half-float.ts';
import { sumInFour, type FitBlock } from './fit-block.ts';
import {
  extremeOf,
  fitScale,
  halfScale,
  inverseOf,
  storedScale,
  sumsAt,
  type Grid,
  type HalfScale,
  type Range,
  type Search,
} from './symmetric-fit.ts';

const f = Math.fround;

/** How a super-block's sub-blocks each have an integer scale that multiplies one f16 scale. */
export interface SuperBlock {
  readonly grid: Grid;
  /** Integer sub-scales are in −limit … limit − 1. */
  readonly limit: number;
}

/** Scales of a super-block as they are stored. */
export interface SuperBlockScales {
  readonly scale: HalfScale;
  readonly subScales: Int8Array;
}

/** The product of both scales for each sub-block, in the block's unit. */
export function scalesOf({ scale, subScales }: SuperBlockScales): number[] {
  return Array.from(subScales, (subScale) => f(scale.value * subScale));
}

interface Choice {
  subScale: number;
  gain: number;
  wxl: number;
  wll: number;
}

/**
 * Chooses the f16 scale and the integer sub-scales of a super-block.
 *
 * Each sub-block is fitted alone; the largest scale fixes the f16 scale; every sub-scale is then the
 * integer with the least error *given the rounded f16 scale*; at last the f16 scale is fitted by
 * least squares to those integers and codes. ggml divides by the scale before it is rounded, takes
 * the nearest integer, and does not fit again. On heavy-tailed weights around 0.01, whose Q6_K scales
 * are binary16 subnormals, these three steps take 9 % off the weighted error energy.
 */
export function fitSuperBlock(
  block: FitBlock,
  shape: SuperBlock,
  search: Search,
): SuperBlockScales {
  const count = block.subBlock;
  const ranges = Array.from({ length: block.values.length / count }, (_, index) => {
    return { block, first: index * count, count };
  });
  const scales = ranges.map((range) => fitScale(range, shape.grid, search));
  const rounded = notZero(halfScale(f(extremeOf(scales) / -shape.limit), block.unit), block.unit);
  const inverse = inverseOf(rounded.value);
  const choices = ranges.map((range, index) =>
    chooseSubScale(range, shape, rounded.value, {
      nearest: roundHalfEven(f(scales[index]! * inverse)),
      steps: search.subScaleSteps,
    }),
  );
  return {
    scale: refit(choices, block.unit),
    subScales: Int8Array.from(choices, ({ subScale }) => subScale),
  };
}

/** Instead of 0 the smallest subnormal: its multiples may still come near a tiny block. */
function notZero(scale: HalfScale, unit: number): HalfScale {
  return scale.bits & 0x7fff ? scale : storedScale(1, unit);
}

function chooseSubScale(
  range: Range,
  shape: SuperBlock,
  scale: number,
  { nearest, steps }: { nearest: number; steps: readonly number[] },
): Choice {
  let best: Choice = { subScale: 0, gain: 0, wxl: 0, wll: 0 };
  for (const step of steps) {
    const subScale = Math.min(Math.max(nearest + step, -shape.limit), shape.limit - 1);
    const product = f(scale * subScale);
    const { wxl, wll } = sumsAt(range, inverseOf(product), shape.grid.snap);
    const gain = f(product * f(f(2 * wxl) - f(product * wll)));
    if (gain > best.gain) best = { subScale, gain, wxl, wll };
  }
  return best;
}

/** The least-squares scale for given sub-scales and codes; 0 when every code is 0. */
function refit(choices: readonly Choice[], unit: number): HalfScale {
  const wxl = sumInFour(choices.map(({ subScale, wxl }) => f(subScale * wxl)));
  const wll = sumInFour(choices.map(({ subScale, wll }) => f(f(subScale * subScale) * wll)));
  return halfScale(wll > 0 ? f(wxl / wll) : 0, unit);
}
