import type { Allocation } from '../../../compress/allocate/index.ts';
import type { Figure } from '../../../evaluate/figure.ts';
import { PithError } from '../../../util/errors.ts';

/** A file that was tried. */
export interface Trial {
  /** Of the matrices. */
  readonly bytes: number;
  readonly kept: Figure;
}

/** What the search found. */
export interface KeepSearch {
  readonly allocation: Allocation;
  /** In the order in which they were made. */
  readonly trials: readonly Trial[];
}

/** Sizes closer than this are one. */
const resolution = 1.01;

/**
 * The smallest of allocations whose lower bound of what is kept reaches `share`, by bisection over their
 * sizes; what is kept is taken to rise with them.
 *
 * @param points - The smallest first.
 * @param measure - Writes and measures a file: minutes for a large model.
 * @throws PithError `unsupported` when even the largest keeps less, with its figure.
 * @remarks At most 2 + log2(points) measurements, and none closer than 1 % to one that was made.
 */
export async function smallestThatKeeps(
  points: readonly Allocation[],
  share: number,
  measure: (allocation: Allocation) => Promise<Figure>,
): Promise<KeepSearch> {
  const trials: Trial[] = [];
  const keeps = async (at: number): Promise<boolean> => {
    const kept = await measure(points[at]!);
    trials.push({ bytes: points[at]!.bytes, kept });
    return kept.low >= share;
  };
  let enough = points.length - 1;
  if (!(await keeps(enough))) throw tooMuch(share, trials[0]!);
  let tooSmall = -1;
  while (enough - tooSmall > 1) {
    const middle = middleOf(points, tooSmall, enough);
    if (middle === undefined) break;
    if (await keeps(middle)) enough = middle;
    else tooSmall = middle;
  }
  return { allocation: points[enough]!, trials };
}

/** The point half-way between two in size, by ratio; undefined when they are as good as one. */
function middleOf(
  points: readonly Allocation[],
  tooSmall: number,
  enough: number,
): number | undefined {
  const low = points[Math.max(0, tooSmall)]!.bytes;
  const high = points[enough]!.bytes;
  if (high < resolution * low) return undefined;
  const wanted = Math.sqrt(low * high);
  const found = points.findIndex(({ bytes }) => bytes >= wanted);
  return Math.min(Math.max(found, tooSmall + 1), enough - 1);
}

function tooMuch(share: number, { kept }: Trial): PithError {
  return new PithError(
    'unsupported',
    `Even in the largest types the file keeps ${percent(kept.value)}, at least ${percent(kept.low)}: ` +
      `less than ${percent(share)}.`,
    'Ask for less, or measure on more text or rows (--eval), which narrows the interval.',
  );
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
