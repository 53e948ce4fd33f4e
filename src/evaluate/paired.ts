import { PithError } from '../util/errors.ts';
import type { Figure } from './figure.ts';
import { clusteredMean, type Cluster } from './interval.ts';

/** A difference of means of two models over the same values. */
export interface PairedDifference extends Figure {
  /** The 95 % interval lies beyond zero, and beyond what float32 makes of nothing. */
  readonly distinguishable: boolean;
}

/**
 * The mean of `candidate` minus the mean of `base`, with the interval of the differences themselves:
 * what is hard for both models drops out, so it is much narrower than two intervals apart.
 *
 * @param candidate - The same clusters as `base`, in the same order.
 * @throws {@link PithError} `shape` when the two are not over the same values.
 */
export function pairedDifference(
  candidate: readonly Cluster[],
  base: readonly Cluster[],
): PairedDifference {
  requireSame(candidate, base);
  const differences = candidate.map(({ sum, count }, at) => ({ sum: sum - base[at]!.sum, count }));
  return judged(clusteredMean(differences));
}

/**
 * Sums over a vocabulary in float32, in another order, move a log-probability by 5e-7, all tokens the
 * same way: measured with llama.cpp, a model against itself.
 */
const rounding = 2e-6;

/** Says whether a figure that is zero without an effect can be told from it. */
export function judged(figure: Figure): PairedDifference {
  return { ...figure, distinguishable: figure.low > rounding || figure.high < -rounding };
}

function requireSame(candidate: readonly Cluster[], base: readonly Cluster[]): void {
  const numbers = `${candidate.length} and ${base.length}`;
  const different = candidate.findIndex(({ count }, at) => count !== base[at]?.count);
  if (candidate.length === base.length && different === -1) return;
  throw new PithError(
    'shape',
    candidate.length === base.length
      ? `Document ${different + 1} has ${candidate[different]!.count} and ${base[different]!.count} values.`
      : `The two models were measured on ${numbers} documents.`,
    'A paired comparison needs the same tokens: evaluate both with the same data and options.',
  );
}
