import { PithError } from '../../util/errors.ts';
import type { Allocation, Choice, ChoiceGroup } from './choice.ts';

/** A group without the choices that no allocation needs. */
export interface EfficientGroup {
  readonly tensors: readonly string[];
  /** Smallest first; each costs less than those before it. */
  readonly choices: readonly Choice[];
  /** The places among them of the lower convex hull of cost over bytes; the first and the last are on it. */
  readonly hull: readonly number[];
}

/** The place of each group's choice. */
export type Places = readonly number[];

/**
 * Leaves out choices that cost as much as a smaller one, and finds the hull of the others.
 *
 * @throws PithError `usage` for a group without choices, for a tensor in two groups, for bytes or a cost that is
 *   negative or no number.
 */
export function efficientGroups(groups: readonly ChoiceGroup[]): EfficientGroup[] {
  checkTensors(groups);
  return groups.map((group) => {
    checkChoices(group);
    const choices = notDominated(group.choices);
    return { tensors: group.tensors, choices, hull: lowerHull(choices) };
  });
}

/** What a byte more lowers the cost by. */
export function gainPerByte(from: Choice, to: Choice): number {
  return (from.cost - to.cost) / (to.bytes - from.bytes);
}

/** The allocation at these places; its types are put together when they are first asked for. */
export function allocationAt(groups: readonly EfficientGroup[], places: Places): Allocation {
  const at = (group: number) => groups[group]!.choices[places[group]!]!;
  let known: Allocation['types'] | undefined;
  const sum = { bytes: 0, cost: 0 };
  for (const group of groups.keys()) {
    sum.bytes += at(group).bytes;
    sum.cost += at(group).cost;
  }
  return {
    ...sum,
    get types() {
      known ??= new Map(
        groups.flatMap(({ tensors }, group) => tensors.map((name) => [name, at(group).type])),
      );
      return known;
    },
  };
}

function notDominated(choices: readonly Choice[]): Choice[] {
  const kept: Choice[] = [];
  for (const choice of choices.toSorted((a, b) => a.bytes - b.bytes || a.cost - b.cost))
    if (choice.cost < (kept.at(-1)?.cost ?? Infinity)) kept.push(choice);
  return kept;
}

/** Gains a byte strictly fall from one to the next. */
function lowerHull(choices: readonly Choice[]): number[] {
  const hull: number[] = [];
  const gain = (from: number, to: number) => gainPerByte(choices[from]!, choices[to]!);
  for (const at of choices.keys()) {
    while (hull.length > 1 && gain(hull.at(-1)!, at) >= gain(hull.at(-2)!, hull.at(-1)!))
      hull.pop();
    hull.push(at);
  }
  return hull;
}

function checkTensors(groups: readonly ChoiceGroup[]): void {
  const seen = new Set<string>();
  for (const name of groups.flatMap(({ tensors }) => tensors)) {
    if (seen.has(name))
      throw new PithError('usage', `${name} is in two groups of tensors.`, 'Join the groups.');
    seen.add(name);
  }
}

function checkChoices({ tensors, choices }: ChoiceGroup): void {
  if (choices.length === 0)
    throw new PithError(
      'usage',
      `There is no type to choose for ${tensors.join(', ')}.`,
      'Give at least one candidate type.',
    );
  for (const { type, bytes, cost } of choices)
    if (!(bytes >= 0 && bytes < Infinity && cost >= 0 && cost < Infinity))
      throw new PithError(
        'usage',
        `${type} for ${tensors.join(', ')} is said to take ${bytes} bytes and to cost ${cost}.`,
        'Both must be numbers from 0.',
      );
}
