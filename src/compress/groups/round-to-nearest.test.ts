import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import { codeOf, fitGroup } from './fit-group.ts';
import { groupValues, type GroupGrid } from './group-codes.ts';
import { roundToNearest } from './round-to-nearest.ts';

function gaussians(count: number, seed = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

const grids: GroupGrid[] = ([2, 3, 4, 8] as const).flatMap((bits) =>
  [true, false].map((symmetric) => ({ bits, symmetric, groupSize: 32 })),
);

describe('rounding to nearest in groups', () => {
  test.each(grids)(
    'with $bits bits, symmetric: $symmetric, no code is nearer than the one chosen, and errors are as told',
    (grid) => {
      const values = gaussians(4 * 80);
      const result = roundToNearest({ values, columns: 80 }, grid);
      const read = groupValues(result);
      const top = 2 ** grid.bits - 1;
      expect(result.scales).toHaveLength(4 * 3);
      let error = 0;
      for (const [at, value] of values.entries()) {
        const group = Math.floor(at / 80) * 3 + Math.floor((at % 80) / 32);
        const [scale, zero] = [result.scales[group]!, result.zeroPoints[group]!];
        const all = Array.from({ length: top + 1 }, (_, code) =>
          Math.abs((code - zero) * scale - value),
        );
        expect(Math.abs(read[at]! - value)).toBeLessThanOrEqual(Math.min(...all) + 1e-6);
        error += (read[at]! - value) ** 2;
      }
      expect(result.error.squaredError).toBeCloseTo(error, 10);
      expect(result.zeroPoints.every((zero) => !grid.symmetric || zero === (top + 1) / 2)).toBe(
        true,
      );
    },
  );

  test('4 bits, symmetric: the squared error is within 2 % of the best of 600 scales a group, F16 or not', () => {
    const values = gaussians(32 * 100);
    const grid = { bits: 4, groupSize: 32, symmetric: true, scaleType: 'F32' } as const;
    let best = 0;
    for (let from = 0; from < values.length; from += 32) {
      const group = values.subarray(from, from + 32);
      const peak = Math.max(...group.map(Math.abs));
      let least = Infinity;
      for (let step = 300; step < 900; step++) {
        const scale = (peak * step) / 6000;
        const errors = group.map((x) => (codeOf(x, { scale, zeroPoint: 8 }, 15) - 8) * scale - x);
        least = Math.min(
          least,
          errors.reduce((sum, error) => sum + error * error, 0),
        );
      }
      best += least;
    }
    const fitted = roundToNearest({ values, columns: 32 }, grid).error.squaredError;
    const stored = roundToNearest({ values, columns: 32 }, { ...grid, scaleType: 'F16' });
    expect(fitted / best).toBeLessThan(1.02);
    expect(stored.error.squaredError / best).toBeLessThan(1.02);
  });

  test('of Gaussians in groups of 32, signed scales save 10 % of the squared error, zero points 20 %', () => {
    const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
    const changes = [{}, { negativeScales: true }, { symmetric: false }];
    const [plain, signed, asymmetric] = changes.map((change) => {
      const matrix = { values: gaussians(32 * 400), columns: 32 };
      return roundToNearest(matrix, { ...grid, ...change }).error.squaredError;
    });
    expect(signed! / plain!).toBeCloseTo(0.89, 1);
    expect(asymmetric! / plain!).toBeCloseTo(0.79, 1);
  });

  test('the searched scale beats that of the largest weight by 10 % in squared error', () => {
    const values = gaussians(32 * 200);
    const { error } = roundToNearest(
      { values, columns: 32 },
      { bits: 4, groupSize: 32, symmetric: true },
    );
    let plain = 0;
    for (let from = 0; from < values.length; from += 32) {
      const group = values.subarray(from, from + 32);
      const scale = Math.max(...group.map(Math.abs)) / 7;
      for (const value of group) plain += (Math.round(value / scale) * scale - value) ** 2;
    }
    expect(error.squaredError / plain).toBeLessThan(0.9);
  });

  test('importance is followed: where a column counts 1000-fold, its error falls and the weighted error with it', () => {
    const values = gaussians(32 * 100);
    const importance = Float32Array.from({ length: 32 }, (_, column) => (column < 4 ? 1000 : 1));
    const grid = { bits: 3, groupSize: 32, symmetric: true } as const;
    const even = roundToNearest({ values, columns: 32 }, grid);
    const weighed = roundToNearest({ values, columns: 32, importance }, grid);
    const cost = (codes: typeof even) => {
      const read = groupValues(codes);
      return values.reduce((sum, x, at) => sum + importance[at % 32]! * (x - read[at]!) ** 2, 0);
    };
    expect(weighed.error.weightedError).toBeCloseTo(cost(weighed), 3);
    expect(cost(weighed) / cost(even)).toBeLessThan(0.75);
  });

  test('a whole row may share a scale', () => {
    const grid = { bits: 8, groupSize: 'channel', symmetric: true } as const;
    const result = roundToNearest({ values: gaussians(3 * 50), columns: 50 }, grid);
    expect(result.groupSize).toBe(50);
    expect(result.scales).toHaveLength(3);
  });

  test.each(['F16', 'BF16', 'F32'] as const)('scales are %s numbers', (scaleType) => {
    const grid = { bits: 4, groupSize: 32, symmetric: true, scaleType } as const;
    const { scales } = roundToNearest({ values: gaussians(320), columns: 32 }, grid);
    const bits = { F16: 13, BF16: 16, F32: 0 }[scaleType];
    expect([...new Uint32Array(scales.buffer)].every((word) => word % 2 ** bits === 0)).toBe(true);
    if (scaleType === 'F32')
      expect([...new Uint32Array(scales.buffer)].some((word) => word % 2)).toBe(true);
  });

  test('zeros, one value, tiny and huge weights are read back within half a step', () => {
    const extremes = [0, 1, -1, 1e-7, 6e4, -1e30].map((value) => new Float32Array(32).fill(value));
    for (const grid of grids.filter(({ bits }) => bits === 8)) {
      for (const values of extremes) {
        const result = roundToNearest({ values, columns: 32 }, { ...grid, scaleType: 'F32' });
        const read = groupValues(result)[0]!;
        expect(Math.abs(read - values[0]!)).toBeLessThanOrEqual(Math.abs(result.scales[0]! / 2));
      }
    }
  });

  test('a group that nobody weighs is fitted as if all columns counted alike', () => {
    const values = Float64Array.from(gaussians(32));
    const grid = grids[4]!;
    const none = fitGroup(values, new Float64Array(32), grid);
    expect(none).toEqual(fitGroup(values, new Float64Array(32).fill(1), grid));
  });
});

describe('what cannot be rounded', () => {
  const grid = { bits: 4, groupSize: 32, symmetric: true } as const;
  const values = gaussians(64);

  test.each([
    ['half a row', () => roundToNearest({ values, columns: 48 }, grid), 'rows of 48'],
    [
      'too few importances',
      () => roundToNearest({ values, columns: 32, importance: [1] }, grid),
      '1 importances',
    ],
    [
      'groups of half a weight',
      () => roundToNearest({ values, columns: 32 }, { ...grid, groupSize: 0.5 }),
      'Groups of 0.5',
    ],
    [
      'NaN',
      () =>
        roundToNearest({ values: Float32Array.of(...values.subarray(1), NaN), columns: 32 }, grid),
      'row 1, column 31',
    ],
  ])('%s is refused', (_, act, message) => {
    expect(act).toThrow(message);
  });
});
