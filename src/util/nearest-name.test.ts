import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test('the nearest of several names wins, whatever its letter case', () => {
  const names = ['Q4_K_M', 'Q4_K_S', 'Q5_K_M', 'F16'];
  expect(nearestName('q4km', names)).toBe('Q4_K_M');
  expect(nearestName('Q4_KS', names)).toBe('Q4_K_S');
  expect(nearestName('fp16', names)).toBe('F16');
});

test('two swapped letters are one mistake, so that even "rnu" finds "run"', () => {
  expect(nearestName('rnu', ['chat', 'run'])).toBe('run');
});

test('a name that shares less than half of its letters with any other has no neighbour', () => {
  expect(nearestName('zzzzzz', ['Q4_K_M', 'F16'])).toBeUndefined();
  expect(nearestName('', [])).toBeUndefined();
});
