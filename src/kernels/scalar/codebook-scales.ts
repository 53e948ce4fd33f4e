import { chooseEntries, type Choice, type CodebookShape } from './codebook-fit.ts';
import { listed } from './codebook-lists.ts';
import { sumInFour, type FitBlock } from './fit-block.ts';
import {
  extremeOf,
  halfScale,
  inverseOf,
  roundSmall,
  type HalfScale,
  type Search,
  type Sums,
} from './symmetric-fit.ts';

const f = Math.fround;

/** What the largest scale of a super-block is divided into: the multiplier of its sub-block. */
const divisors = [31, 29, 27, 33, 25, 35, 23, 38];

/** Entries looked at while the sub-scales are chosen; all that are listed, only for the last choice. */
const usual = listed / 2;

/** Entries and scales of a super-block. */
export interface CodebookFit {
  /** d, as stored. */
  readonly scale: HalfScale;
  /** One 4-bit sub-scale a sub-block. */
  readonly subScales: readonly number[];
  readonly scales: readonly number[];
  /** One entry a group. */
  readonly entries: readonly number[];
}

/**
 * Fits a super-block: the scale of each sub-block alone, then d and the sub-scales, then the entries
 * at the scales as they will be stored.
 *
 * ggml chooses the entries at the unrounded scales of the sub-blocks and divides the
 * largest scale by a constant for d; here d is fitted by least squares (and stretched), and entries follow
 * the scales that will be read.
 */
export function fitCodebook(block: FitBlock, shape: CodebookShape, search: Search): CodebookFit {
  const { subBlock: count } = block;
  const firsts = Array.from({ length: block.values.length / count }, (_, j) => j * count);
  const fits = firsts.map((first) => fitAlone(block, first, shape, search));
  const { share } = shape;
  const rough = storedStep(fits, share, block.unit);
  const choices = firsts.map((first, j) =>
    chooseSubScale(block, first, shape, {
      step: f(rough.value * share),
      nearest: subScaleOf(ratioOf(fits[j]!), f(rough.value * share)),
      steps: search.subScaleSteps,
    }),
  );
  return refit(block, shape, choices);
}

/** A sub-block's scale by itself: the best of those tried, then of alternating with the entries. */
function fitAlone(
  block: FitBlock,
  first: number,
  shape: CodebookShape,
  { targets, refinements }: Search,
): Sums {
  const count = block.subBlock;
  const largest = Math.abs(extremeOf(block.values.subarray(first, first + count)));
  let best: Sums = { wxl: 0, wll: 0 };
  const attempt = (scale: number, entries: number) => {
    const sums = chooseEntries({ block, first, count, scale }, shape, entries);
    const score = f(f(sums.wxl * sums.wxl) * best.wll);
    if (best.wll === 0 || score > f(f(best.wxl * best.wxl) * sums.wll)) best = sums;
  };
  for (const target of targets) attempt(f(largest * f(1 / target)), shape.tried);
  for (let step = 0; step < refinements; step++) attempt(ratioOf(best), usual);
  return best;
}

function ratioOf({ wxl, wll }: Sums): number {
  return wll > 0 ? f(wxl / wll) : 0;
}

/** The nearest sub-scale of a scale in units of d · share. */
function subScaleOf(scale: number, step: number): number {
  const steps = f(f(f(scale * inverseOf(step)) - 1) * 0.5);
  return roundSmall(Math.min(Math.max(steps, 0), 15));
}

/** d of a super-block: the best of the divisors, fitted to the sums of all sub-blocks, then rounded. */
function storedStep(fits: readonly Sums[], share: number, unit: number): HalfScale {
  const scales = fits.map(ratioOf);
  const largest = extremeOf(scales);
  let best: Sums = { wxl: 0, wll: 0 };
  for (const divisor of divisors) {
    const step = f(largest * f(1 / divisor));
    const sums = joinSums(
      fits,
      scales.map((scale) => subScaleOf(scale, step)),
    );
    const score = f(f(sums.wxl * sums.wxl) * best.wll);
    if (best.wll === 0 || score > f(f(best.wxl * best.wxl) * sums.wll)) best = sums;
  }
  return halfScale(f(ratioOf(best) / share), unit);
}

/** Sums of a super-block in units of d · share. */
function joinSums(fits: readonly Sums[], subScales: readonly number[]): Sums {
  const multipliers = subScales.map((subScale) => 2 * subScale + 1);
  return {
    wxl: sumInFour(fits.map(({ wxl }, j) => f(multipliers[j]! * wxl))),
    wll: sumInFour(fits.map(({ wll }, j) => f(f(multipliers[j]! * multipliers[j]!) * wll))),
  };
}

interface SubChoice extends Choice {
  readonly subScale: number;
  readonly first: number;
}

interface Trial {
  readonly step: number;
  readonly nearest: number;
  readonly steps: readonly number[];
}

function chooseSubScale(
  block: FitBlock,
  first: number,
  shape: CodebookShape,
  { step, nearest, steps }: Trial,
): SubChoice {
  let best: SubChoice | undefined;
  let bestGain = 0;
  for (const move of steps) {
    const subScale = Math.min(Math.max(nearest + move, 0), 15);
    const scale = f(step * (2 * subScale + 1));
    const range = { block, first, count: block.subBlock, scale };
    const choice = chooseEntries(range, shape, usual);
    const gain = f(scale * f(f(choice.wxl + choice.wxl) - f(scale * choice.wll)));
    if (best && gain <= bestGain) continue;
    best = { ...choice, subScale, first };
    bestGain = gain;
  }
  return best!;
}

/** d once more for the sub-scales and entries chosen, and the entries once more for that d. */
function refit(block: FitBlock, shape: CodebookShape, choices: readonly SubChoice[]): CodebookFit {
  const { share, stretch } = shape;
  const subScales = choices.map(({ subScale }) => subScale);
  const fitted = f(ratioOf(joinSums(choices, subScales)) / share);
  const scale = halfScale(f(fitted * f(stretch)), block.unit);
  const step = f(scale.value * share);
  const scales = subScales.map((subScale) => f(step * (2 * subScale + 1)));
  const entries = choices.flatMap(({ first }, j) => {
    const range = { block, first, count: block.subBlock, scale: scales[j]! };
    return chooseEntries(range, shape, listed).entries;
  });
  return { scale, subScales, scales, entries };
}
