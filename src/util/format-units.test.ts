import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
  parseBytes,
  threeDigits,
} from './format-units.ts';

describe('formatting', () => {
  test('bytes use powers of 1000 and three digits', () => {
    expect([0, 999, 1000, 7949376, 999_499_999, 999_500_000, 3.2e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '7.95 MB',
      '999 MB',
      '1.00 GB',
      '3.20 GB',
    ]);
  });

  test('counts and integers', () => {
    expect([7344384, 4096, 12].map(formatCount)).toEqual(['7.34 M', '4.10 K', '12']);
    expect(formatInteger(7344384)).toBe('7,344,384');
  });

  test('durations change unit where people do', () => {
    expect([0, 0.45, 0.9996, 12.34, 59.96, 125, 3725].map(formatDuration)).toEqual([
      '0 ms',
      '450 ms',
      '1.00 s',
      '12.3 s',
      '1 min 00 s',
      '2 min 05 s',
      '1 h 02 min',
    ]);
  });

  test('three digits stay three digits across a rounding carry', () => {
    expect([9.996, 99.96, 0.04567, 2183.4, 1, -2.34567, NaN].map(threeDigits)).toEqual([
      '10.0',
      '100',
      '0.0457',
      '2183',
      '1.00',
      '-2.35',
      'NaN',
    ]);
  });
});

describe('parseBytes', () => {
  test('KB, MB and GB are powers of 1000; KiB, MiB and GiB of 1024', () => {
    expect(['1000', '3.2GB', '3.2 gb', '1KiB', '2MiB', '1gib', '10 B'].map(parseBytes)).toEqual([
      1000,
      3.2e9,
      3.2e9,
      1024,
      2 ** 21,
      2 ** 30,
      10,
    ]);
  });

  test.each(['', 'GB', '-1GB', '1e9', '3.2 potatoes', '0', '0.4B', '99999999999TB'])(
    'rejects %j with the usage code',
    (text) => {
      expect(() => parseBytes(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );

  test('reads back what formatBytes wrote within half a unit of the third digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 46 }), (bytes) => {
        const error = Math.abs(parseBytes(formatBytes(bytes)) - bytes) / bytes;
        expect(error).toBeLessThanOrEqual(0.0051);
      }),
    );
  });
});
