import { expect, test } from 'vitest';
import { totalRelativeError, type TensorReport } from './write.ts';

const tensor = (relativeError: number, squaredNorm: number): TensorReport => ({
  name: 'blk.0.ffn_up.weight',
  type: 'Q4_K',
  bytes: 144,
  relativeError,
  squaredNorm,
});

test('the error of several tensors is that of one: √((0.1² · 300 + 0.3² · 100) / 400) = √0.03', () => {
  expect(totalRelativeError([tensor(0.1, 300), tensor(0.3, 100)])).toBeCloseTo(Math.sqrt(0.03), 12);
});

test('norms that became F32 without loss do not make the matrices look better', () => {
  expect(totalRelativeError([tensor(0.1, 100), tensor(0, 1e6)])).toBeCloseTo(0.1, 12);
  expect(totalRelativeError([tensor(0, 1e6)])).toBe(0);
});
