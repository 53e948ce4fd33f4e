import { describe, expect, test } from 'vitest';
import { philox } from './philox.ts';
import { seededRandom } from './random.ts';

describe('philox', () => {
  const all = 0xffffffff;
  // kat_vectors of Random123: philox4x32 with 10 rounds.
  test.each([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[all, all, all, all], [all, all], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    ],
  ] as const)('counter %j and key %j give the known words of Random123', (counter, key, words) => {
    const out = new Uint32Array(4);
    philox(counter, key, out);
    expect([...out].map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(words);
  });
});

describe('seededRandom', () => {
  const draws = 100_000;

  test('repeats itself for a seed and a stream, and for no other', () => {
    expect(first([7, 1])).toBe(first([7, 1]));
    expect(
      new Set(
        (
          [
            [7, 1],
            [7, 2],
            [8, 1],
            [1, 7],
          ] as const
        ).map(first),
      ).size,
    ).toBe(4);
  });

  test('uniform numbers have mean 1/2 and variance 1/12 within four standard errors', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: draws }, () => random.uniform());
    const { mean, variance } = moments(values);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / draws));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / draws));
  });

  test('normal numbers have mean 0, variance 1 and 5 % beyond 1.96 within four standard errors', () => {
    const random = seededRandom(2);
    const values = Array.from({ length: draws }, () => random.normal());
    const { mean, variance } = moments(values);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(draws));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / draws));
    const beyond = values.filter((value) => Math.abs(value) > 1.959964).length / draws;
    expect(Math.abs(beyond - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / draws));
  });

  test('below(7) gives 0 to 6 alike: χ² of 6 degrees of freedom stays under its 99.9 % of 22.5', () => {
    const random = seededRandom(3);
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let draw = 0; draw < draws; draw += 1) counts[random.below(7)]! += 1;
    const expected = draws / 7;
    expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(
      22.5,
    );
  });
});

function first([seed, stream]: readonly [number, number]): number {
  return seededRandom(seed, stream).uniform();
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}
