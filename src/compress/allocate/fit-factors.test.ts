import { expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import { fitFactors, type Measurement } from './fit-factors.ts';

const classes = ['a', 'b', 'c', 'd'];
const truth = new Map([
  ['a', 0.9],
  ['b', 1.4],
  ['c', 1.1],
  ['d', 1.8],
]);

/** Every class once as costly as all others together, as probes are; measured with some noise. */
function measurements(noise: number): Measurement<string>[] {
  const random = seededRandom(1);
  return ['none', ...classes].map((raised) => {
    const costs = new Map(classes.map((one) => [one, one === raised ? 0.0125 : 0.0025]));
    const exact = classes.reduce((sum, one) => sum + truth.get(one)! * costs.get(one)!, 0);
    return { costs, measured: exact * (1 + noise * random.normal()) };
  });
}

const worst = (found: ReadonlyMap<string, number>) =>
  Math.max(...classes.map((one) => Math.abs(found.get(one)! / truth.get(one)! - 1)));

test('five measurements find four factors between 0.9 and 1.8 within 5 %, drawn together as they are', () => {
  expect(worst(fitFactors(measurements(0)))).toBeLessThan(0.05);
});

test('measurements that are off by 5 % leave factors within 15 %', () => {
  expect(worst(fitFactors(measurements(0.05)))).toBeLessThan(0.15);
});

test('one measurement gives all classes its factor', () => {
  const costs = new Map([
    ['a', 1],
    ['b', 3],
  ]);
  const found = fitFactors([{ costs, measured: 2 }]);
  expect(found.get('a')).toBeCloseTo(0.5, 9);
  expect(found.get('b')).toBeCloseTo(0.5, 9);
});

test('a class that nothing tells of takes the common factor', () => {
  const costs = new Map([
    ['a', 1],
    ['b', 0],
  ]);
  const found = fitFactors([{ costs, measured: 2 }]);
  expect(found.get('b')).toBeCloseTo(2, 9);
});
