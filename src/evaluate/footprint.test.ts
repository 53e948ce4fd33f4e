import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { overrideFactors, parseFactors } from './energy-factors.ts';
import { estimatedPower, footprintOfMillion } from './footprint.ts';

const file = new URL('../../factors/energy.json', import.meta.url);
const factors = parseFactors(JSON.parse(readFileSync(file, 'utf8')), 'energy.json');

test('36 J a token are 10 kWh a million, 4750 g CO2e and 1.60 USD at the factors in the box', () => {
  const footprint = footprintOfMillion({ value: 36, low: 18, high: 72 }, factors);
  expect(footprint.kilowattHours).toEqual({ value: 10, low: 5, high: 20 });
  expect(footprint.gramsCo2e.value).toBeCloseTo(4750, 9);
  expect(footprint.cost.value).toBeCloseTo(1.6, 9);
  expect(footprint.currency).toBe('USD');
});

test('without a meter: 85 W at 50 % and 10 W of memory are 52.5 W, and the words say so', () => {
  const { watts, method } = estimatedPower(factors);
  expect(watts).toBe(52.5);
  expect(method).toMatch(/^estimate, no meter: .*85 W × 50 %.*10 W = 52.5 W/);
});

test("a user's numbers replace those in the box and name their own source", () => {
  const own = overrideFactors(
    factors,
    { gramsCo2ePerKwh: 56, pricePerKwh: { value: 0.25, source: 'my bill' }, currency: 'EUR' },
    'mine.yaml',
  );
  expect(own.gramsCo2ePerKwh).toMatchObject({ value: 56, source: 'mine.yaml' });
  expect(own.pricePerKwh).toMatchObject({ value: 0.25, source: 'my bill' });
  expect(own.overhead).toEqual(factors.overhead);
});

test.each([
  [{ gramsPerKwh: 56 }, /no factor "gramsPerKwh"/],
  [{ overhead: 0.5 }, /overhead\.value/],
  [{ processorLoad: 50 }, /processorLoad\.value/],
  [{ pricePerKwh: 'much' }, /pricePerKwh\.value/],
  ['56', /mine\.yaml/],
])('%j is refused, and the message names what is wrong', (wrong, message) => {
  expect(() => overrideFactors(factors, wrong, 'mine.yaml')).toThrow(message);
});
