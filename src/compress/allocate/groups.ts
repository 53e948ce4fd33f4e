import { PithError } from '../../util/errors.ts';
import type { ChoiceGroup } from './choice.ts';
import type { TypeCost } from './costs.ts';

/** Costs of types, by tensor. */
export type TensorCosts = ReadonlyMap<string, readonly TypeCost[]>;

/** Names the group of a tensor; tensors of one name have one type. */
export type GroupOf = (tensor: string) => string;

/**
 * Groups of tensors with the types that all of a group may have; their bytes and costs add up.
 *
 * @param groupOf - Default: every tensor is its own group.
 * @throws PithError `usage` for a group without a type in common.
 */
export function choiceGroups(costs: TensorCosts, groupOf: GroupOf = (name) => name): ChoiceGroup[] {
  const members = new Map<string, string[]>();
  for (const name of costs.keys())
    members.set(groupOf(name), [...(members.get(groupOf(name)) ?? []), name]);
  return [...members].map(([group, tensors]) => {
    const [first, ...others] = tensors.map((name) => costs.get(name)!);
    const choices = first!.flatMap((one) => {
      const same = others.map((choices) => choices.find(({ type }) => type === one.type));
      if (same.includes(undefined)) return [];
      const all = [one, ...(same as TypeCost[])];
      const bytes = all.reduce((sum, choice) => sum + choice.bytes, 0);
      const cost = all.reduce((sum, choice) => sum + choice.cost, 0);
      return [{ type: one.type, bytes, cost }];
    });
    if (choices.length === 0)
      throw new PithError(
        'usage',
        `${tensors.join(', ')} are to have one type (${group}), but have no candidate in common.`,
        'Add Q8_0 to the candidates, which most rows can be cut into.',
      );
    return { tensors, choices };
  });
}
