import type { EncodableType } from './kernels.ts';
import { blockTypeNames } from '../tensor/block-types.ts';
import { dtypes, type TensorType } from '../tensor/dtypes.ts';

/** Every tensor type: what a table of decoders must cover. */
export const tensorTypes = [
  ...new Set([...Object.keys(dtypes), ...blockTypeNames]),
] as TensorType[];

/** Rows, their length in blocks, and how many of `valueCases` to try there. */
export const shapes = [
  { rows: 1, blocks: 1, cases: Infinity },
  { rows: 2, blocks: 2, cases: 4 },
  { rows: 1, blocks: 9, cases: 1 },
] as const;

/** Numbers in 0…1 from a seed (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers from a seed. */
export function gaussian(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** ggml's synthetic vector, 0.1 + 2 cos(i + offset). @see tests/test-quantize-fns.cpp */
export function cosineVector(count: number, offset = 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 0.1 + 2 * Math.cos(i + offset));
}

/** ggml's `array_rmse`: the square root is taken before the division by n. */
export function ggmlTotalError(expected: Float32Array, actual: Float32Array): number {
  const sum = expected.reduce((sum, x, i) => sum + (x - actual[i]!) ** 2, 0);
  return Math.sqrt(sum) / expected.length;
}

/**
 * ggml's limits on `array_rmse` for its synthetic vector. It has none for IQ2_XS and IQ2_XXS, which
 * it cannot encode without importance: they take that of two bits.
 *
 * @see tests/test-quantize-fns.cpp
 */
export const ggmlErrorLimit: Record<EncodableType, number> = {
  F32: 0.002,
  F16: 0.002,
  BF16: 0.002,
  Q8_0: 0.002,
  Q4_0: 0.002,
  Q4_1: 0.002,
  Q5_0: 0.002,
  Q5_1: 0.002,
  Q2_K: 0.0075,
  Q3_K: 0.004,
  Q4_K: 0.002,
  Q5_K: 0.002,
  Q6_K: 0.002,
  IQ4_NL: 0.002,
  IQ4_XS: 0.002,
  IQ3_S: 0.004,
  IQ3_XXS: 0.005,
  IQ2_S: 0.0075,
  IQ2_XS: 0.0075,
  IQ2_XXS: 0.0075,
  TQ1_0: 0.01,
  TQ2_0: 0.01,
  Q2_0: 0.01,
  Q1_0: 0.025,
  MXFP4: 0.002,
};

/** Weights to encode: what they are like, and how to make `count` of them. */
export interface ValueCase {
  readonly label: string;
  readonly make: (count: number) => Float32Array;
}

function fill(label: string, next: (i: number) => number): ValueCase {
  return { label, make: (count) => Float32Array.from({ length: count }, (_, i) => next(i)) };
}

const tails = (seed: number) => {
  const next = gaussian(seed);
  return () => next() / Math.sqrt((next() ** 2 + next() ** 2 + next() ** 2) / 3);
};

/** Ordinary and awkward weights that every encoder takes. */
export const valueCases: readonly ValueCase[] = [
  { label: 'the cosine vector of ggml', make: (count) => cosineVector(count) },
  fill('Gaussian weights', gaussian(1)),
  fill(
    'small Gaussian weights',
    (
      (next) => () =>
        1e-3 * next()
    )(gaussian(2)),
  ),
  fill('heavy tails', tails(3)),
  fill(
    'positive weights with an offset',
    (
      (next) => () =>
        5 + next()
    )(uniform(4)),
  ),
  fill('zeros', () => 0),
  fill('zeros of both signs', (i) => (i % 2 ? -0 : 0)),
  fill('binary32 subnormals', (i) => (i - 20) * 2 ** -149),
  fill(
    'weights around the smallest binary16',
    (
      (next) => () =>
        4e-8 * next()
    )(gaussian(5)),
  ),
  fill(
    'weights whose scale is a binary16 subnormal',
    (
      (next) => () =>
        3e-5 * next()
    )(gaussian(6)),
  ),
  fill(
    'weights whose scale overflows binary16',
    (
      (next) => () =>
        3e6 * next()
    )(gaussian(7)),
  ),
  fill('weights up to the largest binary32', (i) => (i % 3 ? 3e38 : -3e38)),
  fill('a constant', () => 0.7),
  fill('a negative constant that binary16 cannot hold', () => -1000.3),
  fill(
    'a large offset with a small spread',
    (
      (next) => () =>
        300 + 0.05 * next()
    )(gaussian(8)),
  ),
  fill('one spike in zeros', (i) => (i % 77 === 5 ? -3 : 0)),
  fill(
    'one spike in noise',
    (
      (next) => (i) =>
        i % 300 === 40 ? 50 : 0.01 * next()
    )(gaussian(9)),
  ),
  fill('three levels', (i) => [-0.03125, 0, 0.03125][(i * 7) % 3]!),
  fill(
    'mixed magnitudes',
    (
      (next) => (i) =>
        next() * 10 ** ((i >> 5) % 9)
    )(gaussian(10)),
  ),
];

/** Importance to encode with. */
export const importanceCases: readonly ValueCase[] = [
  fill('flat importance', () => 1),
  fill(
    'spiky importance',
    (
      (next) => () =>
        Math.exp(3 * next())
    )(gaussian(11)),
  ),
  fill(
    'importance with zeros',
    (
      (next) => (i) =>
        i % 5 ? next() : 0
    )(uniform(12)),
  ),
  fill('whole blocks without importance', (i) => ((i >> 5) % 2 ? 1 : 0)),
  fill('no importance anywhere', () => 0),
  fill('importance up to 10³⁸ and down to 10⁻⁴⁰', (i) => 10 ** ((i * 13) % 79) * 1e-40),
];
