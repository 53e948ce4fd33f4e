import { expect, test } from 'vitest';
import { differsFromZero, shareWithInterval, signedWithInterval, withInterval } from './numbers.ts';

const figure = (value: number, low: number, high: number) => ({ value, low, high });

test.each([
  [figure(14.2143, 13.8, 14.63), '14.21 (13.80 to 14.63)'],
  [figure(0.000631, 0.0006, 0.00066), '0.000631 (0.000600 to 0.000660)'],
  [figure(1234.5, 1100, 1360), '1235 (1100 to 1360)'],
  [figure(3, 3, 3), '3.00 (3.00 to 3.00)'],
  [figure(0, 0, 0), '0 (0 to 0)'],
])('a figure has two significant digits of half its interval: %j is %s', (value, text) => {
  expect(withInterval(value)).toBe(text);
});

test('a share is in per cent, a difference has a sign and a true minus, zero has neither', () => {
  expect(shareWithInterval(figure(0.9312, 0.9277, 0.9347))).toBe('93.12 % (92.77 to 93.47)');
  expect(signedWithInterval(figure(-0.012, -0.03, 0.006), 100)).toBe(
    '\u22121.2 (\u22123.0 to +0.6)',
  );
  expect(signedWithInterval(figure(0, -0.001, 0.001), 100)).toBe('0.00 (\u22120.10 to +0.10)');
});

test('a difference counts when its interval leaves zero out', () => {
  expect(differsFromZero(figure(1, 0.1, 2))).toBe(true);
  expect(differsFromZero(figure(-1, -2, -0.1))).toBe(true);
  expect(differsFromZero(figure(1, 0, 2))).toBe(false);
});
