import { PithError } from '../../util/errors.ts';
import { formatBytes } from '../../util/format-units.ts';
import type { Allocation, ChoiceGroup } from './choice.ts';
import { allocationAt, efficientGroups, type EfficientGroup, type Places } from './efficient.ts';
import { bestExchange, movesFrom, promising, type Move } from './exchange.ts';
import { hullSteps, smallestPlaces } from './frontier.ts';

/** Exchanges that gain a smaller share of the cost are rounding. */
const leastGain = 1e-9;

/**
 * Chooses a type for every group, so that all together take at most `budgetBytes` and cost least.
 *
 * Steps along the hulls while they fit, then exchanges of one or two groups' choices, hull or not, until none helps.
 *
 * @param budgetBytes - For the groups alone: the file less its header and the tensors that keep their type.
 * @throws PithError `unsupported` when even the smallest choices do not fit, with the bytes they take; `usage` for
 *   groups that contradict themselves.
 * @see Shoham and Gersho 1988, doi:10.1109/29.90373, for bit allocation by the Lagrangian hull; a multiple-choice
 *   knapsack.
 * @remarks Never further from the optimum than the gain of one hull step. Same input, same answer. 400 groups of
 *   14 choices take some 50 ms. Checked against exhaustive search.
 */
export function allocate(groups: readonly ChoiceGroup[], budgetBytes: number): Allocation {
  const efficient = efficientGroups(groups);
  const smallest = smallestPlaces(efficient);
  const { bytes } = allocationAt(efficient, smallest);
  if (!(bytes <= budgetBytes)) throw tooSmall(bytes, budgetBytes);
  const climbed = climb(efficient, smallest, budgetBytes - bytes);
  return allocationAt(efficient, exchange(efficient, climbed, budgetBytes));
}

/** A choice for each group, and what a byte more would gain: the first step that did not fit; 0 when all did. */
interface Climbed {
  readonly places: Places;
  readonly price: number;
}

/** Takes every hull step that fits, most gain a byte first; a group that missed one takes none after it. */
function climb(groups: readonly EfficientGroup[], from: Places, room: number): Climbed {
  const places = [...from];
  const stopped = new Set<number>();
  let left = room;
  let price = 0;
  for (const { group, to, bytes, gainPerByte } of hullSteps(groups)) {
    if (bytes > left) {
      stopped.add(group);
      price ||= gainPerByte;
    }
    if (stopped.has(group)) continue;
    places[group] = to;
    left -= bytes;
  }
  return { places, price };
}

function exchange(
  groups: readonly EfficientGroup[],
  { places: from, price }: Climbed,
  budget: number,
): Places {
  let places = from;
  for (;;) {
    const { bytes, cost } = allocationAt(groups, places);
    const room = budget - bytes;
    const moves = promising(movesFrom(groups, places), room, price);
    const found = bestExchange(moves, room, leastGain * cost);
    if (found.length === 0) return places;
    places = after(places, found);
  }
}

function after(places: Places, moves: readonly Move[]): Places {
  return moves.reduce((moved, { group, to }) => moved.with(group, to), places);
}

function tooSmall(minimum: number, budget: number): PithError {
  return new PithError(
    'unsupported',
    `The smallest types take ${minimum} bytes (${formatBytes(minimum)}), but only ${budget} are left for them.`,
    `Allow at least ${minimum} bytes, or more types among the candidates.`,
  );
}
