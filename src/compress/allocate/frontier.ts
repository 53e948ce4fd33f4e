import type { Allocation, ChoiceGroup } from './choice.ts';
import {
  allocationAt,
  efficientGroups,
  gainPerByte,
  type EfficientGroup,
  type Places,
} from './efficient.ts';

/** A group's move to the next choice on its hull. */
export interface HullStep {
  readonly group: number;
  /** Place of the choice. */
  readonly to: number;
  readonly bytes: number;
  readonly gainPerByte: number;
}

/** Where {@link hullSteps} begin: the smallest choice of every group. */
export function smallestPlaces(groups: readonly EfficientGroup[]): Places {
  return groups.map(() => 0);
}

/**
 * The steps of all groups from their smallest choices to their best ones, most gain a byte first.
 *
 * Every beginning of this list leads to the best allocation of its size: the one that minimises cost + λ·bytes,
 * λ being the gain a byte of its last step. Sorting finds for every size the λ that bisection finds for one.
 */
export function hullSteps(groups: readonly EfficientGroup[]): HullStep[] {
  const steps = groups.flatMap(({ choices, hull }, group) =>
    hull.slice(1).map((to, at): HullStep => {
      const [before, after] = [choices[hull[at]!]!, choices[to]!];
      const bytes = after.bytes - before.bytes;
      return { group, to, bytes, gainPerByte: gainPerByte(before, after) };
    }),
  );
  return steps.toSorted((a, b) => b.gainPerByte - a.gainPerByte);
}

/**
 * Every point of the Lagrangian hull, smallest first: allocations that nothing of their size or between two of them
 * betters by more than the straight line through both.
 *
 * @throws PithError `usage` for groups that contradict themselves.
 * @remarks 400 groups of 14 choices have up to 5,200 points.
 */
export function frontier(groups: readonly ChoiceGroup[]): Allocation[] {
  const efficient = efficientGroups(groups);
  let places = smallestPlaces(efficient);
  const points = [allocationAt(efficient, places)];
  for (const { group, to } of hullSteps(efficient)) {
    places = places.with(group, to);
    points.push(allocationAt(efficient, places));
  }
  return points;
}
