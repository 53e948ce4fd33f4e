import type { CodebookShape } from './codebook-fit.ts';
import type { CodebookType } from './codebooks.ts';
import type { Tuning } from './symmetric-encoder.ts';
import type { Search } from './symmetric-fit.ts';

/** What an encoder may choose freely: files of any choice are read alike. */
export interface CodebookTuning extends Pick<CodebookShape, 'tried' | 'stretch'> {
  /** When the weights of the errors are x². */
  readonly plain: Tuning;
  /** When they come from an imatrix. */
  readonly importance: Tuning;
}

function searchOf(...targets: number[]): Search {
  return { targets, refinements: 1, subScaleSteps: [0, 1, -1] };
}

const iq2Plain = searchOf(36, 42, 48, 54, 60);
const iq2Importance: Tuning = { ridge: 0.07, search: searchOf(36, 42, 48, 55, 63, 72) };

/**
 * How each type searches its codebook.
 *
 * Searches were chosen as {@link Search} says. Targets reach 1.7 times the highest level (ggml: about 1.2): clipping took
 * 0.1 to 3.4 % off the error of IQ2. Without a stretch <x̂, x> / <x, x> was 0.963 in IQ2_S (ggml: 1.004): least squares
 * shrinks. On three books that neither calibration nor evaluation uses, 0, 0.5, 1.5 and 2 times its excess over 1 left
 * the KL of the model in the box at best 0.7 % lower and at most 2.1 % higher. assembly/ holds the same numbers.
 *
 * @see docs/log.md, stretch of the IQ2 and IQ3 scales.
 */
export const codebookTuning: Record<CodebookType, CodebookTuning> = {
  IQ2_XXS: {
    tried: 4,
    stretch: 1.03,
    plain: { ridge: 6, search: iq2Plain },
    importance: iq2Importance,
  },
  IQ2_XS: {
    tried: 4,
    stretch: 1.025,
    plain: { ridge: 6, search: iq2Plain },
    importance: iq2Importance,
  },
  IQ2_S: {
    tried: 4,
    stretch: 1.025,
    plain: { ridge: 1, search: iq2Plain },
    importance: iq2Importance,
  },
  IQ3_XXS: {
    tried: 4,
    stretch: 1.012,
    plain: { ridge: 1, search: searchOf(50, 56, 62, 68, 76) },
    importance: { ridge: 0.07, search: searchOf(52, 60, 68, 78, 88) },
  },
  IQ3_S: {
    tried: 2,
    stretch: 1.006,
    plain: { ridge: 1, search: searchOf(13, 14, 15, 16, 17.5, 19) },
    importance: { ridge: 0.07, search: searchOf(12, 13, 14, 15, 16, 17, 18.5, 20) },
  },
};
