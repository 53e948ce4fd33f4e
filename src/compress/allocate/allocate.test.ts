import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EncodableType } from '../../kernels/kernels.ts';
import { encodableTypes } from '../../kernels/kernels.ts';
import { bitsPerWeight } from '../../tensor/block-types.ts';
import { seededRandom } from '../../util/random.ts';
import { allocate } from './allocate.ts';
import type { Choice, ChoiceGroup } from './choice.ts';
import { efficientGroups } from './efficient.ts';
import { frontier, hullSteps } from './frontier.ts';

const choice = fc.record({
  type: fc.constantFrom<EncodableType>('Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0'),
  bytes: fc.integer({ min: 0, max: 60 }),
  cost: fc.integer({ min: 0, max: 1000 }).map((cost) => cost / 1000),
});

const someGroups = fc
  .array(fc.array(choice, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 })
  .map((all) => all.map((choices, at): ChoiceGroup => ({ tensors: [`t${at}`], choices })));

/** Least bytes and most bytes that choices may take. */
function range(groups: readonly ChoiceGroup[]): [number, number] {
  const sum = (pick: (...bytes: number[]) => number) =>
    groups.reduce((total, { choices }) => total + pick(...choices.map(({ bytes }) => bytes)), 0);
  return [sum(Math.min), sum(Math.max)];
}

/** The least cost of at most each number of bytes: exact, by dynamic programming over bytes. */
function optima(groups: readonly ChoiceGroup[], most: number): number[] {
  let best = Array.from({ length: most + 1 }, () => 0);
  for (const { choices } of groups)
    best = best.map((_, budget) =>
      Math.min(
        ...choices.map(({ bytes, cost }) =>
          bytes <= budget ? cost + best[budget - bytes]! : Infinity,
        ),
      ),
    );
  return best;
}

test('fits every budget, and is at most one hull step from the optimum of dynamic programming', () => {
  let found = 0;
  let optimal = 0;
  let gap = 0;
  let total = 0;
  fc.assert(
    fc.property(someGroups, fc.double({ min: 0, max: 1, noNaN: true }), (groups, share) => {
      const [least, most] = range(groups);
      const budget = Math.round(least + share * (most - least));
      const { bytes, cost, types } = allocate(groups, budget);
      const optimum = optima(groups, budget).at(-1)!;
      const steps = hullSteps(efficientGroups(groups));
      const step = Math.max(0, ...steps.map((one) => one.bytes * one.gainPerByte));
      expect(bytes).toBeLessThanOrEqual(budget);
      expect([...types.keys()]).toEqual(groups.map(({ tensors }) => tensors[0]));
      expect(cost).toBeGreaterThanOrEqual(optimum - 1e-9);
      expect(cost).toBeLessThanOrEqual(optimum + step + 1e-9);
      found++;
      optimal += Number(cost < optimum + 1e-9);
      gap += cost - optimum;
      total += optimum;
    }),
    { numRuns: 200, seed: 1 },
  );
  // Six groups are the hardest: of hundreds, one step is nothing.
  expect(optimal / found).toBeGreaterThan(0.97);
  expect(gap / total).toBeLessThan(0.002);
});

test('the frontier holds the optimum of each of its own sizes, and costs fall along it', () => {
  fc.assert(
    fc.property(someGroups, (groups) => {
      const points = frontier(groups);
      const exact = optima(groups, points.at(-1)!.bytes);
      for (const [at, { bytes, cost }] of points.entries()) {
        expect(cost).toBeCloseTo(exact[bytes]!, 9);
        expect(bytes).toBeGreaterThan(points[at - 1]?.bytes ?? -1);
        expect(cost).toBeLessThan(points[at - 1]?.cost ?? Infinity);
      }
    }),
    { numRuns: 100, seed: 2 },
  );
});

/** 400 tensors whose error falls by 4 a bit, as of uniform quantizers, give or take 30 %. */
function modelLike(): ChoiceGroup[] {
  const random = seededRandom(1);
  return Array.from({ length: 400 }, (_, at) => {
    const weights = 256 * 16 * (1 + random.below(1000));
    const sensitivity = weights * Math.exp(2 * random.normal());
    const choices = encodableTypes.slice(3, 17).map((type): Choice => {
      const bits = bitsPerWeight(type);
      const cost = sensitivity * 4 ** -bits * (1 + 0.3 * (2 * random.uniform() - 1));
      return { type, bytes: (weights * bits) / 8, cost: 1e-9 * cost };
    });
    return { tensors: [`t${at}`], choices };
  });
}

test('400 tensors of 14 types: within 0.1 % of what no allocation can beat', () => {
  const groups = modelLike();
  const points = frontier(groups);
  const [least, most] = range(groups);
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const budget = Math.round(least + share * (most - least));
    const found = allocate(groups, budget);
    const above = points.findIndex(({ bytes }) => bytes > budget);
    const [below, next] = [points[above - 1]!, points[above]!];
    // Linear between two points of the hull: a lower bound by Lagrangian duality.
    const part = (budget - below.bytes) / (next.bytes - below.bytes);
    const bound = below.cost + part * (next.cost - below.cost);
    expect(found.bytes).toBeLessThanOrEqual(budget);
    expect(found.cost).toBeGreaterThanOrEqual(bound * (1 - 1e-12));
    expect(found.cost).toBeLessThanOrEqual(bound * (1 + 1e-3));
  }
});

test('the same groups give the same types twice', () => {
  const groups = modelLike();
  const budget = range(groups)[0] * 1.5;
  expect([...allocate(groups, budget).types]).toEqual([...allocate(groups, budget).types]);
});

const pair: ChoiceGroup = {
  tensors: ['a', 'b'],
  choices: [
    { type: 'Q4_K', bytes: 100, cost: 0.5 },
    { type: 'Q8_0', bytes: 200, cost: 0.1 },
  ],
};

test('tensors of a group have one type and count once', () => {
  const { types, bytes, cost } = allocate([pair], 200);
  expect([...types]).toEqual([
    ['a', 'Q8_0'],
    ['b', 'Q8_0'],
  ]);
  expect([bytes, cost]).toEqual([200, 0.1]);
});

test('a budget below the smallest allocation names the bytes that it takes', () => {
  expect(() => allocate([pair], 99)).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('100 bytes') }),
  );
  expect(() => allocate([pair], Number.NaN)).toThrow('100 bytes');
});

test.each([
  [[{ tensors: ['a'], choices: [] }], 'no type to choose for a'],
  [[pair, { ...pair, tensors: ['b'] }], 'b is in two groups'],
  [[{ tensors: ['a'], choices: [{ type: 'Q4_K', bytes: 1, cost: Number.NaN }] }], 'cost NaN'],
  [[{ tensors: ['a'], choices: [{ type: 'Q4_K', bytes: -1, cost: 0 }] }], '-1 bytes'],
] satisfies [ChoiceGroup[], string][])('refuses %j', (groups, message) => {
  expect(() => allocate(groups, 1e9)).toThrow(message);
});
