import { expect, test } from 'vitest';
import { erf } from './erf.ts';

test.each([
  [0, 0],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [-2, -0.9953222650189527],
  [2.999, 0.9999777698314002],
  [3, 0.9999779095030014],
  [5, 0.9999999999984626],
  [Infinity, 1],
])('erf(%d) is %d, as Python 3 math.erf has it', (x, expected) => {
  expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-15);
});
