import { allocate } from './allocate.ts';
import {
  calibrateCosts,
  type CalibratedCosts,
  type CalibrationOptions,
  type Probe,
  type TensorTypes,
} from './calibrate-costs.ts';
import type { Allocation } from './choice.ts';
import { choiceGroups, type TensorCosts } from './groups.ts';

/** How often costs are measured again. */
export interface RefineOptions extends Omit<CalibrationOptions, 'around'> {
  /** Rounds of probes at most; below 3.5 bits a weight 2 are worth their time. Default 1. */
  readonly rounds?: number;
}

/** The best allocation that was found. */
export interface Refined {
  readonly allocation: Allocation;
  /** KL divergence of the allocation, by `probe`. */
  readonly measured: number;
  /** What was learnt in each round. */
  readonly rounds: readonly CalibratedCosts[];
}

/**
 * Allocates, measures the allocation and its neighbours, allocates again by what that says of the costs, and keeps
 * the better one by measurement.
 *
 * Costs of tensors do not simply add up below some 3.5 bits a weight; near an allocation they nearly do.
 *
 * @param budgetBytes - As for {@link allocate}.
 * @throws PithError as {@link allocate} and {@link calibrateCosts}.
 * @remarks A round asks for up to six divergences, and for one of what it leads to. Types that were measured are
 *   not measured again.
 */
export async function refineAllocation(
  costs: TensorCosts,
  budgetBytes: number,
  probe: Probe,
  options: RefineOptions = {},
): Promise<Refined> {
  const { rounds: most = 1, groupOf } = options;
  const measure = remembering(probe);
  const rounds: CalibratedCosts[] = [];
  const first = allocate(choiceGroups(costs, groupOf), budgetBytes);
  let best = { allocation: first, measured: await measure(first.types) };
  while (rounds.length < most) {
    const around = best.allocation.types;
    const calibrated = await calibrateCosts(costs, measure, { ...options, around });
    rounds.push(calibrated);
    const allocation = allocate(choiceGroups(calibrated.costs, groupOf), budgetBytes);
    const measured = await measure(allocation.types);
    if (measured >= best.measured) break;
    best = { allocation, measured };
  }
  return { ...best, rounds };
}

function remembering(probe: Probe): Probe {
  const known = new Map<string, number>();
  return async (types) => {
    const key = keyOf(types);
    const measured = known.get(key) ?? (await probe(types));
    known.set(key, measured);
    return measured;
  };
}

function keyOf(types: TensorTypes): string {
  return [...types].map((pair) => pair.join('=')).join(' ');
}
