import { assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import {
  cosineVector,
  gaussian,
  ggmlErrorLimit,
  ggmlTotalError,
  importanceCases,
  valueCases,
} from './kernels.cases.ts';
import { scalarDecoders } from './scalar.ts';
import { iq4Values, nearestIq4Code } from './scalar/iq4-grid.ts';
import { createWasmKernels } from './wasm.ts';
import { blockTypes, rowBytes } from '../tensor/block-types.ts';
import { f16ToF32 } from '../util/half-float.ts';
import inputs from '../../test/golden/ggml-encode.json' with { type: 'json' };
import ggml from '../../test/golden/ggml-symmetric.json' with { type: 'json' };

// The wasm kernels equal the scalar reference bit for bit (kernels.test.ts), and are faster.
const wasm = await createWasmKernels();
const types = ['Q3_K', 'Q6_K', 'IQ4_NL', 'IQ4_XS'] as const;
type SymmetricType = (typeof types)[number];

/** bfloat16 words in base64. */
function floats(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const words = Uint32Array.from(new Uint16Array(bytes.buffer), (word) => word << 16);
  return new Float32Array(words.buffer);
}

function roundTrip(
  type: SymmetricType,
  values: Float32Array,
  columns: number,
  importance?: Float32Array,
) {
  const out = new Uint8Array(rowBytes(type, columns)! * (values.length / columns));
  const error = wasm.encode(type, values, columns, out, importance);
  const decoded = new Float32Array(values.length);
  scalarDecoders[type](out, decoded);
  return { out, error, decoded };
}

/** The weights that ggml fits with, see interop/ggml-symmetric.py. */
function ggmlWeights(type: SymmetricType, x: Float32Array, importance?: Float32Array) {
  if (!importance) return x.map((value) => value * value);
  const size = blockTypes[type].weights;
  return x.map((value, i) => {
    const v = importance[i % importance.length]!;
    if (type === 'Q6_K') return v;
    const block = x.subarray(i - (i % size), i - (i % size) + size);
    const mean = block.reduce((sum, each) => sum + each * each, 0) / size;
    return v * Math.sqrt(2 * mean + value * value);
  });
}

function relativeError(x: Float32Array, decoded: Float32Array, weights?: Float32Array): number {
  let error = 0;
  let norm = 0;
  x.forEach((value, i) => {
    const weight = weights?.[i] ?? 1;
    error += weight * (value - decoded[i]!) ** 2;
    norm += weight * value * value;
  });
  return Math.sqrt(error / norm);
}

const labels = ['gaussian', 'heavy tails', 'columns of different size'] as const;
const cases = types.flatMap((type) =>
  labels.flatMap((label) =>
    (['without', 'with'] as const).map((mode) => [type, label, mode] as const),
  ),
);

test.each(cases)(
  '%s, %s, %s importance: errors below those of ggml v0.5.0',
  (type, label, mode) => {
    const x = floats(inputs.inputs[label]);
    const importance = mode === 'with' ? floats(inputs.importance) : undefined;
    const { decoded } = roundTrip(type, x, inputs.columns, importance);
    const reference = ggml.errors[label][type][mode];
    const weights = ggmlWeights(type, x, importance);
    expect(relativeError(x, decoded, weights)).toBeLessThan(reference.weighted);
    expect(relativeError(x, decoded)).toBeLessThan(reference.plain);
  },
);

test.each(types)("%s of ggml's cosine vector: total error within ggml's limit", (type) => {
  const x = cosineVector(4096);
  const { decoded } = roundTrip(type, x, 4096);
  expect(ggmlTotalError(x, decoded)).toBeLessThan(ggmlErrorLimit[type]);
});

/** What is wrong with an encode call: a decoded NaN or infinity, or sums that are not its errors. */
function complaint(type: SymmetricType, x: Float32Array, importance?: Float32Array): string | null {
  const columns = 2 * blockTypes[type].weights;
  const { decoded, error } = roundTrip(type, x, columns, importance);
  const norm = x.reduce((sum, value) => sum + value * value, 0);
  const squares = x.reduce((sum, value, i) => sum + (value - decoded[i]!) ** 2, 0);
  if (!decoded.every(Number.isFinite)) return 'not finite';
  if (Math.abs(error.squaredNorm - norm) > 1e-6 * norm) return `norm ${error.squaredNorm}, ${norm}`;
  const off = Math.abs(error.squaredError - squares) > 1e-6 * squares + 1e-13 * norm;
  return off ? `error ${error.squaredError}, not ${squares}` : null;
}

test.each(types)('%s of awkward weights: finite, and the error is that of what decodes', (type) => {
  const columns = 2 * blockTypes[type].weights;
  const complaints = valueCases.flatMap((sample) =>
    [undefined, ...importanceCases].map((importance) => {
      const found = complaint(type, sample.make(2 * columns), importance?.make(columns));
      return found && `${sample.label}, ${importance?.label}: ${found}`;
    }),
  );
  expect(complaints.filter((found) => found !== null)).toEqual([]);
});

test.each(types)('%s of weights times 2^k differs in the f16 scale alone', (type) => {
  const at = type.startsWith('IQ4') ? 0 : blockTypes[type].bytes - 2;
  const { weights: size } = blockTypes[type];
  const scaled = property(integer(), integer({ min: 1, max: 6 }), (seed, k) => {
    const next = gaussian(seed);
    const x = Float32Array.from({ length: size }, () => 20 * next());
    const small = roundTrip(type, x, size).out;
    const large = roundTrip(type, scaledBy(x, 2 ** k), size).out;
    expect(halfAt(large, at)).toBe(halfAt(small, at) * 2 ** k);
    expect(withoutScale(large, at)).toEqual(withoutScale(small, at));
  });
  assert(scaled, { numRuns: 50 });
});

const scaledBy = (x: Float32Array, factor: number) => x.map((value) => value * factor);
const halfAt = (block: Uint8Array, at: number) => f16ToF32(block[at]! | (block[at + 1]! << 8));
const withoutScale = (block: Uint8Array, at: number) => block.slice().fill(0, at, at + 2);

test.each(types)('%s: importance 0 everywhere is as importance 1 everywhere', (type) => {
  const size = blockTypes[type].weights;
  const x = Float32Array.from({ length: 8 * size }, gaussian(30));
  const none = roundTrip(type, x, size, new Float32Array(size));
  expect(none.out).toEqual(roundTrip(type, x, size, new Float32Array(size).fill(1)).out);
});

test.each(types)(
  '%s: columns of importance 0 keep an error below 1.5 times the plain one',
  (type) => {
    const size = blockTypes[type].weights;
    const x = Float32Array.from({ length: 64 * size }, gaussian(31));
    const plain = relativeError(x, roundTrip(type, x, size).decoded);
    const odd = Float32Array.from({ length: size }, (_, i) => i % 2);
    const even = x.map((_, i) => 1 - (i % 2));
    expect(relativeError(x, roundTrip(type, x, size, odd).decoded, even)).toBeLessThan(1.5 * plain);
  },
);

test('the IQ4 code of a ratio is the nearest of the sixteen values', () => {
  for (let ratio = -140; ratio <= 140; ratio += 0.125) {
    const distances = iq4Values.map((value) => Math.abs(value - ratio));
    expect(distances[nearestIq4Code(ratio)]).toBe(Math.min(...distances));
  }
});
