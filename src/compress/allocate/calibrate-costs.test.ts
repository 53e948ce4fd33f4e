import { expect, test } from 'vitest';
import type { EncodableType } from '../../kernels/kernels.ts';
import { bitsPerWeight } from '../../tensor/block-types.ts';
import { calibrateCosts, type Probe, type TensorTypes } from './calibrate-costs.ts';
import { costClasses } from './cost-class.ts';
import type { TypeCost } from './costs.ts';
import { allocate } from './allocate.ts';
import { choiceGroups } from './groups.ts';
import { refineAllocation } from './refine.ts';

const types: readonly EncodableType[] = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'];
const matrices = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
const names = [
  'token_embd.weight',
  ...[0, 1, 2, 3, 4, 5].flatMap((layer) => matrices.map((one) => `blk.${layer}.${one}.weight`)),
];

/** Each tensor's cost falls by 4 a bit, some tensors costing more than others, the embedding most. */
const costs = new Map(
  names.map((name, at) => [
    name,
    types.map((type): TypeCost => {
      const bits = bitsPerWeight(type);
      const sensitivity = at === 0 ? 20 : 1 + ((at * 7) % 5);
      return { type, bytes: 1000 * bits, cost: sensitivity * 0.1 * 4 ** -bits };
    }),
  ]),
);

const classes = costClasses(names);
const classOf = (name: string) => classes.get(name)!;

/** What classes really cost: first layers twice, last ones half of what is predicted. */
const truth: Readonly<Record<string, number>> = { firstLayers: 2, lastLayers: 0.5 };

function sumOf(chosen: TensorTypes, factorOf: (name: string) => number): number {
  return [...chosen].reduce((sum, [name, type]) => {
    const { cost } = costs.get(name)!.find((one) => one.type === type)!;
    return sum + factorOf(name) * cost;
  }, 0);
}

const trueCost: Probe = async (chosen) => sumOf(chosen, (name) => truth[classOf(name)] ?? 1);

const feedForwards = (layers: number) =>
  Array.from({ length: layers }, (_, layer) => `blk.${layer}.ffn_up.weight`);

test('layers are classed by thirds, and what lies outside them by name', () => {
  expect([...costClasses(feedForwards(4)).values()]).toEqual([
    'firstLayers',
    'firstLayers',
    'middleLayers',
    'lastLayers',
  ]);
  expect([...costClasses(['output.weight', 'token_embd.weight', 'cls.weight']).values()]).toEqual([
    'embedding',
    'embedding',
    'other',
  ]);
});

test('one probe a class and one more find what classes cost, within 10 %', async () => {
  const { factors, probes } = await calibrateCosts(costs, trueCost);
  expect(probes.length).toBe(5);
  for (const [one, factor] of factors)
    expect(Math.abs(factor / (truth[one] ?? 1) - 1)).toBeLessThan(0.1);
});

test('predictions of any types are then right within 10 %', async () => {
  const calibrated = await calibrateCosts(costs, trueCost);
  const cost = (name: string, type: EncodableType) =>
    calibrated.costs.get(name)!.find((one) => one.type === type)!.cost;
  for (const type of types) {
    const all = new Map(names.map((name) => [name, type]));
    const predicted = names.reduce((sum, name) => sum + cost(name, type), 0);
    expect(Math.abs(predicted / (await trueCost(all)) - 1)).toBeLessThan(0.1);
  }
});

test('probes lie around the types that are given, and add up to as much again', async () => {
  const around: TensorTypes = new Map(names.map((name) => [name, 'Q4_K']));
  const { probes } = await calibrateCosts(costs, trueCost, { around });
  expect(probes[0]!.types).toEqual(around);
  for (const { types: changed, predicted } of probes.slice(1)) {
    const moved = names.filter((name) => changed.get(name) !== 'Q4_K');
    expect(new Set(moved.map(classOf)).size).toBe(1);
    expect(predicted / probes[0]!.predicted).toBeGreaterThan(1.1);
    expect(predicted / probes[0]!.predicted).toBeLessThan(4);
  }
});

test('a class that hardly counts is not measured, and takes the factor of all', async () => {
  const small = new Map(costs).set(
    'token_embd.weight',
    costs.get('token_embd.weight')!.map((one) => ({ ...one, cost: 1e-3 * one.cost })),
  );
  const doubled: Probe = async (chosen) =>
    2 *
    [...chosen].reduce(
      (sum, [name, type]) => sum + small.get(name)!.find((one) => one.type === type)!.cost,
      0,
    );
  const { factors, probes } = await calibrateCosts(small, doubled);
  expect(probes.length).toBe(4);
  expect(factors.get('embedding')).toBeCloseTo(2, 9);
});

test('classes that are as coarse as they can be are made finer', async () => {
  const around: TensorTypes = new Map(names.map((name) => [name, 'Q2_K']));
  const { probes } = await calibrateCosts(costs, trueCost, { around });
  expect(probes.length).toBe(5);
  expect(probes.slice(1).every(({ predicted }) => predicted < probes[0]!.predicted)).toBe(true);
});

test('refining finds a better allocation of the same budget, and measures nothing twice', async () => {
  const budget = 43 * 3500;
  const asked: string[] = [];
  const probe: Probe = async (chosen) => {
    asked.push(JSON.stringify([...chosen]));
    return trueCost(chosen);
  };
  const refined = await refineAllocation(costs, budget, probe, { rounds: 2 });
  const plain = await trueCost(allocate(choiceGroups(costs), budget).types);
  expect(refined.measured).toBeLessThan(0.97 * plain);
  expect(refined.allocation.bytes).toBeLessThanOrEqual(budget);
  expect(refined.measured).toBe(await trueCost(refined.allocation.types));
  expect(new Set(asked).size).toBe(asked.length);
});

test('when what costs teach makes it worse, the first allocation is kept', async () => {
  const budget = 43 * 3500;
  const first = allocate(choiceGroups(costs), budget).types;
  const probe: Probe = async (chosen) =>
    JSON.stringify([...chosen]) === JSON.stringify([...first]) ? 1e-6 : trueCost(chosen);
  const { allocation, measured } = await refineAllocation(costs, budget, probe);
  expect([measured, [...allocation.types]]).toEqual([1e-6, [...first]]);
});

test.each([0, -1, Number.NaN, Infinity])('a divergence of %d is an error', async (divergence) => {
  await expect(calibrateCosts(costs, async () => divergence)).rejects.toThrow('diverge by');
});

test('stops when it is cancelled', async () => {
  const signal = AbortSignal.abort();
  await expect(calibrateCosts(costs, trueCost, { signal })).rejects.toThrow('cancelled');
});

test('tensors of a group add up, with the types that all of them may have', () => {
  const one = { bytes: 10, cost: 1 };
  const fused = new Map([
    [
      'a',
      [
        { ...one, type: 'Q4_K' as const },
        { ...one, type: 'Q8_0' as const },
      ],
    ],
    ['b', [{ type: 'Q8_0' as const, bytes: 5, cost: 2 }]],
    ['c', [{ ...one, type: 'Q4_K' as const }]],
  ]);
  const groups = choiceGroups(fused, (name) => (name === 'c' ? 'c' : 'ab'));
  expect(groups).toEqual([
    { tensors: ['a', 'b'], choices: [{ type: 'Q8_0', bytes: 15, cost: 3 }] },
    { tensors: ['c'], choices: [{ ...one, type: 'Q4_K' }] },
  ]);
  expect(() => choiceGroups(fused, () => 'all')).toThrow('no candidate in common');
});
