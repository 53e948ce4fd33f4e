import { expect, test } from 'vitest';
import { seededRandom } from '../../util/random.ts';
import type { SecondMoments, TensorEvidence } from './evidence.ts';
import { activationBlock, roundingNoise } from './rounding-noise.ts';

const columns = 512;
const tokens = 200;

/** Rows of activations: Gaussian, columns of different sizes, one in 64 thirty times larger. */
const activations = makeActivations();

function makeActivations(): Float64Array[] {
  const random = seededRandom(5);
  const scales = Array.from({ length: columns }, (_, at) =>
    at % 64 === 7 ? 30 : 0.5 + random.uniform(),
  );
  return Array.from({ length: tokens }, () =>
    Float64Array.from(scales, (scale) => scale * random.normal()),
  );
}

function peakOf(row: Float64Array, first: number, size: number): number {
  return row.subarray(first, first + size).reduce((most, a) => Math.max(most, Math.abs(a)), 0);
}

function peaksOf(size: number): (row: Float64Array) => number[] {
  return (row) => Array.from({ length: columns / size }, (_, at) => peakOf(row, at * size, size));
}

function moments(values: (row: Float64Array) => number[], rows: readonly Float64Array[]) {
  const all = rows.map(values);
  const size = all[0]!.length;
  const sums = Float64Array.from({ length: size }, (_, at) =>
    all.reduce((sum, row) => sum + row[at]! ** 2, 0),
  );
  return { experts: 1, size, sums, counts: Float64Array.of(rows.length) } satisfies SecondMoments;
}

function evidenceOf(rows: readonly Float64Array[]): TensorEvidence {
  return {
    inputs: moments((row) => [...row], rows),
    peaks: { of32: moments(peaksOf(32), rows), of256: moments(peaksOf(256), rows) },
  };
}

/** Mean squared errors of columns, rounded as llama.cpp's Q8_0 (32) and Q8_K (256) round. */
function simulated(rows: readonly Float64Array[], size: number): Float64Array {
  const errors = new Float64Array(columns);
  for (const row of rows)
    for (let first = 0; first < columns; first += size) {
      const step = peakOf(row, first, size) / 127;
      for (let at = first; at < first + size; at++)
        errors[at]! += (row[at]! - step * Math.round(row[at]! / step)) ** 2 / rows.length;
    }
  return errors;
}

const mean = (values: Float64Array, from = 0, to = values.length) =>
  values.subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from);

test.each([32, 256] as const)(
  'noise of 8 bits in blocks of %i is that of a simulation but for the largest values, which are exact',
  (size) => {
    const found = roundingNoise(evidenceOf(activations), size);
    const expected = simulated(activations, size);
    for (let first = 0; first < columns; first += size) {
      const rounded = mean(found, first, first + size) * (1 - 1 / size);
      expect(rounded / mean(expected, first, first + size)).toBeGreaterThan(0.95);
      expect(rounded / mean(expected, first, first + size)).toBeLessThan(1.05);
    }
  },
);

test('an outlier in every second block of 32 makes blocks of 256 about 4.8 times as noisy: the largest of 4 squares, 2.4, against half of one', () => {
  const evidence = evidenceOf(activations);
  const ratio = mean(roundingNoise(evidence, 256)) / mean(roundingNoise(evidence, 32));
  expect(ratio).toBeGreaterThan(4);
  expect(ratio).toBeLessThan(6);
});

/** Of two experts, the second without tokens. */
function two(sums: number[]): SecondMoments {
  const counts = Float64Array.of(100, 0);
  return { experts: 2, size: 1, sums: Float64Array.from(sums), counts };
}

test('an expert without tokens has the noise of its layer', () => {
  const peaks = { of32: two([100 * 127 ** 2, 0]), of256: two([0, 0]) };
  const noise = roundingNoise({ inputs: two([1, 0]), peaks }, 32);
  expect([...noise].map((value) => 12 * value)).toEqual([1, 1]);
});

test('K-quants and IQ types but IQ4_NL meet activations in blocks of 256, floats unrounded ones', () => {
  const wide = (['Q2_K', 'Q4_K', 'IQ4_XS', 'IQ2_S', 'TQ2_0'] as const).map(activationBlock);
  expect(wide).toEqual(wide.map(() => 256));
  const narrow = (['Q4_0', 'Q5_1', 'Q8_0', 'IQ4_NL', 'MXFP4'] as const).map(activationBlock);
  expect(narrow).toEqual(narrow.map(() => 32));
  expect(activationBlock('BF16')).toBeUndefined();
});

test('evidence of before there were peaks says how to make it anew', () => {
  const { inputs } = evidenceOf(activations.slice(0, 2));
  expect(() => roundingNoise({ inputs }, 32)).toThrow('nothing of the peaks');
});
