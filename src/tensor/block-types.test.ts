import { expect, test } from 'vitest';
import {
  bitsPerWeight,
  blockTypeNames,
  blockTypeOfId,
  blockTypes,
  rowBytes,
} from './block-types.ts';

test('ids are unique and lead back to their names', () => {
  for (const name of blockTypeNames) expect(blockTypeOfId(blockTypes[name].id)).toBe(name);
  expect(blockTypeOfId(4)).toBeUndefined();
});

test('bits per weight are the published ones: Q4_K 4.5, Q6_K 6.5625, Q2_K 2.625, TQ1_0 1.6875', () => {
  expect((['Q4_K', 'Q6_K', 'Q2_K', 'TQ1_0'] as const).map(bitsPerWeight)).toEqual([
    4.5, 6.5625, 2.625, 1.6875,
  ]);
});

test('a row of 256 Q4_K weights takes 144 bytes, a row of 255 has no Q4_K form', () => {
  expect(rowBytes('Q4_K', 256)).toBe(144);
  expect(rowBytes('Q4_K', 255)).toBeUndefined();
});
