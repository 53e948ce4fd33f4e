import { seededRandom } from '../util/random.ts';
import { normalDistribution } from '../util/student-t.ts';
import type { Figure } from './figure.ts';
import { effectiveClusters, halfWidth } from './interval.ts';

/** How to resample. */
export interface BootstrapOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Default 1000. */
  readonly resamples?: number;
}

/** Several statistics of one sample in which cluster d counts `weights[d]` times. */
export type Statistics = (weights: Uint32Array) => readonly number[];

/**
 * 95 % intervals by resampling whole clusters, for what has no simple formula, as ratios of scores. The same seed gives the same interval.
 *
 * The percentiles taken are those of t quantiles instead of normal ones, as few clusters need
 * (Hesterberg's expanded percentile interval). One cluster gives an infinite interval.
 *
 * @param counts - Size of each cluster.
 * @returns A figure a statistic; its value is that of the sample itself.
 * @see Efron & Tibshirani 1993, chapter 13; Hesterberg 2015, "What teachers should know about the
 *   bootstrap", section 4.4.
 * @remarks Calls `statistics` once a resample. Not for extremes: no resample exceeds the largest value.
 */
export function bootstrap(
  counts: readonly number[],
  statistics: Statistics,
  { seed = 1, resamples = 1000 }: BootstrapOptions = {},
): Figure[] {
  const weights = new Uint32Array(counts.length).fill(1);
  const values = statistics(weights);
  const tail = tailProbability(counts);
  if (tail === 0) return values.map((value) => ({ value, low: -Infinity, high: Infinity }));
  const random = seededRandom(seed);
  const samples = values.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample += 1) {
    weights.fill(0);
    for (let draw = 0; draw < counts.length; draw += 1) weights[random.below(counts.length)]! += 1;
    statistics(weights).forEach((value, at) => (samples[at]![resample] = value));
  }
  return values.map((value, at) => ({ value, ...middlePart(samples[at]!, tail) }));
}

/** The probability below the lower end: 2.5 % for many clusters, less for few. */
function tailProbability(counts: readonly number[]): number {
  const effective = effectiveClusters(counts);
  // A resample's spread is too small by the divisor D instead of D − 1.
  const wider = Math.sqrt(effective / (effective - 1));
  return normalDistribution(-halfWidth(1, effective - 1) * wider);
}

function middlePart(samples: Float64Array, tail: number): { low: number; high: number } {
  samples.sort();
  const at = (probability: number) => Math.round(probability * (samples.length - 1));
  return { low: samples[at(tail)]!, high: samples[at(1 - tail)]! };
}
