import type { EncodableType } from '../../kernels/kernels.ts';
import { PithError } from '../../util/errors.ts';
import type { OnProgress } from '../../util/progress.ts';
import type { Allocation, ChoiceGroup } from './choice.ts';
import { costClasses, type CostClass } from './cost-class.ts';
import type { TypeCost } from './costs.ts';
import { fitFactors, type Measurement } from './fit-factors.ts';
import { frontier } from './frontier.ts';
import { choiceGroups, type GroupOf, type TensorCosts } from './groups.ts';

/** A type for each tensor. */
export type TensorTypes = ReadonlyMap<string, EncodableType>;

/** Measures the KL divergence, nats a token, of the model whose tensors have these types. */
export type Probe = (types: TensorTypes) => Promise<number>;

/** How costs are calibrated. */
export interface CalibrationOptions {
  /** Types near which the costs are to be right. Default: the point of the frontier whose cost is 0.02. */
  readonly around?: TensorTypes;
  readonly groupOf?: GroupOf;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Costs as they were measured to be. */
export interface CalibratedCosts {
  readonly costs: Map<string, TypeCost[]>;
  /** What predicted costs of a class were multiplied by. */
  readonly factors: ReadonlyMap<CostClass, number>;
  /** The first is `around` itself. */
  readonly probes: readonly MeasuredTypes[];
}

/** Types and what they cost. */
export interface MeasuredTypes {
  readonly types: TensorTypes;
  /** By the costs that were given. */
  readonly predicted: number;
  readonly measured: number;
}

/** Between the four-bit and the three-bit types of most models. */
const usualCost = 0.02;
/** A class whose cost cannot change by this share of all costs is not measured: it hardly counts. */
const leastChange = 0.1;

/**
 * Multiplies the costs of each class of tensors by a factor, so that their sums are what a few real measurements
 * found: one of the given types, and one a class with that class alone rounded so coarsely that its cost grows by
 * what all tensors cost, as far as it can (or as finely as it can be, where it is coarse already).
 *
 * @param probe - Asked for one divergence after the other, on text that the evidence does not come from.
 * @throws PithError `engine` for a divergence that is not positive, `cancelled`; whatever `probe` throws.
 * @remarks Costs of single tensors are right to each other up to such factors: measured on the model in the box,
 *   sums of uncalibrated costs and measured divergences have a rank correlation of 0.995 over mixes of 2.9 to 5.6
 *   bits a weight (bench/allocation.mjs).
 */
export async function calibrateCosts(
  costs: TensorCosts,
  probe: Probe,
  options: CalibrationOptions = {},
): Promise<CalibratedCosts> {
  const { groupOf, signal, onProgress } = options;
  const classes = costClasses(costs.keys());
  const groups = choiceGroups(costs, groupOf);
  const around = options.around ?? typesOfCost(groups, usualCost);
  const now = costsByClass(costs, classes, around);
  const variants = [around, ...variantsOf(groups, classes, now).map(onTopOf(around))];
  const found: (Measurement<CostClass> & MeasuredTypes)[] = [];
  for (const [at, types] of variants.entries()) {
    if (signal?.aborted) throw new PithError('cancelled', 'Measuring costs was cancelled.');
    onProgress?.({ label: 'probes', done: at, total: variants.length, unit: 'steps' });
    const byClass = costsByClass(costs, classes, types);
    const measured = requirePositive(await probe(types));
    found.push({ types, costs: byClass, predicted: sumOf(byClass), measured });
  }
  const factors = fitFactors(found);
  const scaled = [...costs].map(([name, choices]): [string, TypeCost[]] => {
    const factor = factors.get(classes.get(name)!)!;
    return [name, choices.map((choice) => ({ ...choice, cost: factor * choice.cost }))];
  });
  const probes = found.map(({ types, predicted, measured }) => ({ types, predicted, measured }));
  return { costs: new Map(scaled), factors, probes };
}

/** The types of the first point of the frontier that costs no more than this, else of the last. */
function typesOfCost(groups: readonly ChoiceGroup[], cost: number): TensorTypes {
  const points = frontier(groups);
  return (points.find((point) => point.cost <= cost) ?? points.at(-1)!).types;
}

const onTopOf =
  (around: TensorTypes) =>
  ({ types }: Allocation): TensorTypes =>
    new Map([...around, ...types]);

/** For each class, other types of its tensors. A group belongs to the class of its first tensor. */
function variantsOf(
  groups: readonly ChoiceGroup[],
  classes: ReadonlyMap<string, CostClass>,
  now: ReadonlyMap<CostClass, number>,
): Allocation[] {
  const total = sumOf(now);
  return [...now].flatMap(([one, cost]) => {
    const members = groups.filter(({ tensors }) => classes.get(tensors[0]!) === one);
    return members.length > 0 ? (changedClass(frontier(members), cost, total) ?? []) : [];
  });
}

/** A point of a class' frontier that costs `total` more than now, or else is as far from it as there is. */
function changedClass(
  points: readonly Allocation[],
  now: number,
  total: number,
): Allocation | undefined {
  const lowered = points.findLast(({ cost }) => cost >= now + total) ?? points[0]!;
  const raised = points.at(-1)!;
  const change = ({ cost }: Allocation) => Math.abs(cost - now);
  const changed = change(lowered) >= change(raised) ? lowered : raised;
  return change(changed) >= leastChange * total ? changed : undefined;
}

function costsByClass(
  costs: TensorCosts,
  classes: ReadonlyMap<string, CostClass>,
  types: TensorTypes,
): Map<CostClass, number> {
  const sums = new Map<CostClass, number>();
  for (const [name, choices] of costs) {
    const one = classes.get(name)!;
    const choice = choices.find(({ type }) => type === types.get(name));
    if (!choice) throw new PithError('usage', `${types.get(name)} is no candidate for ${name}.`);
    sums.set(one, (sums.get(one) ?? 0) + choice.cost);
  }
  return sums;
}

function sumOf(costs: ReadonlyMap<CostClass, number>): number {
  return [...costs.values()].reduce((sum, cost) => sum + cost, 0);
}

function requirePositive(measured: number): number {
  if (measured > 0 && measured < Infinity) return measured;
  throw new PithError(
    'engine',
    `A rounded model was measured to diverge by ${measured} nats a token.`,
    'See whether the model itself is sound: pith verify FILE',
  );
}
