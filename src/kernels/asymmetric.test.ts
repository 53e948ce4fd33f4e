import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cosineVector,
  gaussian,
  ggmlErrorLimit,
  ggmlTotalError,
  importanceCases,
  valueCases,
} from './kernels.cases.ts';
import { scalarDecoders, scalarKernels } from './scalar.ts';
import { createWasmKernels } from './wasm.ts';
import { rowBytes } from '../tensor/block-types.ts';
import { bf16ToF32, f16ToF32 } from '../util/half-float.ts';
import ggml from '../../test/golden/ggml-asymmetric.json' with { type: 'json' };
import inputs from '../../test/golden/ggml-encode.json' with { type: 'json' };

type Type = 'Q2_K' | 'Q4_K' | 'Q5_K';
type Errors = Record<'plain' | 'weighted', number>;

const types = ['Q2_K', 'Q4_K', 'Q5_K'] as const;
const wasm = await createWasmKernels();

/** Byte offsets of d and dmin in a block. */
const stepsAt = { Q2_K: [80, 82], Q4_K: [0, 2], Q5_K: [0, 2] } as const;

function encode(type: Type, values: Float32Array, columns: number, importance?: Float32Array) {
  const out = new Uint8Array(rowBytes(type, columns)! * (values.length / columns));
  const error = wasm.encode(type, values, columns, out, importance);
  const decoded = new Float32Array(values.length);
  scalarDecoders[type](out, decoded);
  return { error, out, decoded };
}

/** The weights that ggml fits one super-block with, in f64. */
function ggmlWeights(type: Type, x: Float32Array, importance?: Float32Array): number[] {
  const meanSquare = (from: number, length: number) =>
    x.subarray(from, from + length).reduce((sum, value) => sum + value * value, 0) / length;
  if (importance) {
    const variance = (type === 'Q2_K' ? 1 : 2) * meanSquare(0, 256);
    return Array.from(x, (value, i) => importance[i]! * Math.sqrt(variance + value * value));
  }
  if (type === 'Q2_K') return Array.from(x, Math.abs);
  return Array.from(x, (value, i) => Math.sqrt(meanSquare(i & ~31, 32)) + Math.abs(value));
}

function relative([error, norm]: number[]): number {
  return Math.sqrt(error! / norm!);
}

function relativeErrors(
  type: Type,
  x: Float32Array,
  decoded: Float32Array,
  importance?: Float32Array,
): Errors {
  const sums = { plain: [0, 0], weighted: [0, 0] };
  for (let at = 0; at < x.length; at += 256) {
    const column = importance && at % importance.length;
    const block = x.subarray(at, at + 256);
    const weights = ggmlWeights(type, block, importance?.subarray(column, column! + 256));
    block.forEach((value, i) => {
      const square = (value - decoded[at + i]!) ** 2;
      sums.plain[0]! += square;
      sums.plain[1]! += value * value;
      sums.weighted[0]! += weights[i]! * square;
      sums.weighted[1]! += weights[i]! * value * value;
    });
  }
  return { plain: relative(sums.plain), weighted: relative(sums.weighted) };
}

function floatsOf(base64: string): Float32Array {
  const words = new Uint16Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
  return Float32Array.from(words, bf16ToF32);
}

describe('against the encoders of llama.cpp v0.5.0 on the same weights', () => {
  const errors: Record<string, Record<Type, Record<'with' | 'without', Errors>>> = ggml.errors;
  const importance = floatsOf(inputs.importance);

  test.each(types)(
    '%s leaves at least 1 % less weighted error, and no more plain error',
    (type) => {
      for (const [label, text] of Object.entries(inputs.inputs)) {
        const x = floatsOf(text);
        for (const mode of ['without', 'with'] as const) {
          const v = mode === 'with' ? importance : undefined;
          const { decoded } = encode(type, x, inputs.columns, v);
          const ours = relativeErrors(type, x, decoded, v);
          const theirs = errors[label]![type][mode];
          expect(ours.weighted / theirs.weighted, `${label}, ${mode}, weighted`).toBeLessThan(0.99);
          expect(ours.plain / theirs.plain, `${label}, ${mode}, plain`).toBeLessThan(1);
        }
      }
    },
  );
});

test.each(types)("%s stays within ggml's limit on its cosine vector", (type) => {
  const x = cosineVector(4096);
  const { decoded } = encode(type, x, 4096);
  expect(ggmlTotalError(x, decoded)).toBeLessThan(ggmlErrorLimit[type]);
});

test.each(types)('%s reports exactly the error that the decoder leaves', (type) => {
  const x = Float32Array.from({ length: 1024 }, gaussian(31));
  const { error, decoded } = encode(type, x, 512);
  const squaredError = x.reduce((sum, value, i) => sum + Math.fround(value - decoded[i]!) ** 2, 0);
  expect(error.squaredError / squaredError).toBeCloseTo(1, 12);
  expect(error.squaredNorm).toBeCloseTo(
    x.reduce((sum, value) => sum + value * value, 0),
    9,
  );
});

test.each(types)('%s stores finite steps for any finite weights and importance', (type) => {
  const size = rowBytes(type, 256)!;
  for (const values of valueCases) {
    for (const importance of [undefined, ...importanceCases]) {
      const { out } = encode(type, values.make(512), 512, importance?.make(512));
      for (const at of stepsAt[type].flatMap((step) => [step, size + step])) {
        const step = f16ToF32(out[at]! | (out[at + 1]! << 8));
        expect(Number.isFinite(step) && step >= 0, `${values.label}, ${importance?.label}`).toBe(
          true,
        );
      }
    }
  }
});

/** The error of the plain fit: each sub-block from its lowest (or 0) to its highest weight, rounded once. */
function rangeFitError(type: Type, x: Float32Array, weights: number[]): number {
  const [length, top, maxScale] = { Q2_K: [16, 3, 15], Q4_K: [32, 15, 63], Q5_K: [32, 31, 63] }[
    type
  ] as [number, number, number];
  const subs = Array.from({ length: 256 / length }, (_, j) =>
    x.subarray(j * length, (j + 1) * length),
  );
  const mins = subs.map((sub) => -Math.min(0, ...sub));
  const scales = subs.map((sub, j) => (Math.max(...sub) + mins[j]!) / top);
  const step = Math.max(...scales) / maxScale;
  const minStep = Math.max(...mins) / maxScale;
  return x.reduce((sum, value, i) => {
    const j = Math.floor(i / length);
    const scale = Math.round(scales[j]! / step) * step;
    const min = minStep ? Math.round(mins[j]! / minStep) * minStep : 0;
    const code = scale ? Math.min(top, Math.max(0, Math.round((value + min) / scale))) : 0;
    return sum + weights[i]! * (value - (scale * code - min)) ** 2;
  }, 0);
}

test.each(types)('%s leaves less weighted error than a fit by range', (type) => {
  const next = gaussian(32);
  let error = 0;
  let byRange = 0;
  for (let block = 0; block < 200; block++) {
    const x = Float32Array.from({ length: 256 }, () => next() * Math.exp(next()));
    const weights = ggmlWeights(type, x);
    const { decoded } = encode(type, x, 256);
    const ours = x.reduce((sum, value, i) => sum + weights[i]! * (value - decoded[i]!) ** 2, 0);
    const theirs = rangeFitError(type, x, weights);
    expect(ours, `block ${block}`).toBeLessThan(1.1 * theirs);
    error += ours;
    byRange += theirs;
  }
  expect(error / byRange).toBeLessThan(0.9);
});

/** Every other run of 32 columns. */
function unimportant(i: number): boolean {
  return (i & 32) === 0;
}

test.each(types)('%s fits columns without importance as well as without an imatrix', (type) => {
  const x = Float32Array.from({ length: 2560 }, gaussian(33));
  const importance = Float32Array.from({ length: 2560 }, (_, i) => (unimportant(i) ? 0 : 1));
  const errorOf = (decoded: Float32Array) =>
    x.reduce((sum, value, i) => sum + (unimportant(i) ? (value - decoded[i]!) ** 2 : 0), 0);
  const ratio =
    errorOf(encode(type, x, 2560, importance).decoded) / errorOf(encode(type, x, 2560).decoded);
  expect(ratio).toBeLessThan(1.15);
});

test.each(types)('%s treats importance that is 0 everywhere as no importance', (type) => {
  const x = Float32Array.from({ length: 512 }, gaussian(34));
  expect(encode(type, x, 512, new Float32Array(512))).toEqual(encode(type, x, 512));
});

test.each(types)('%s keeps sub-blocks of zeros at exactly 0', (type) => {
  const next = gaussian(35);
  const x = Float32Array.from({ length: 256 }, (_, i) => (i & 32 ? next() : 0));
  const { decoded } = encode(type, x, 256);
  expect(decoded.filter((_, i) => !(i & 32)).every((value) => value === 0)).toBe(true);
});

test.each(types)('%s holds a constant block within 0.2 %', (type) => {
  for (const value of [0.7, -0.7, 6e4, -1e-3]) {
    const { decoded } = encode(type, new Float32Array(256).fill(value), 256);
    for (const each of decoded) expect(Math.abs(each / value - 1)).toBeLessThan(0.002);
  }
});

test.each(types)('%s: reference and SIMD agree on arbitrary finite floats', (type) => {
  const floats = fc.float32Array({
    minLength: 256,
    maxLength: 256,
    noNaN: true,
    noDefaultInfinity: true,
  });
  const importances = fc.option(floats.map((v) => v.map(Math.abs)));
  fc.assert(
    fc.property(floats, importances, (x, importance) => {
      const [reference, simd] = [scalarKernels, wasm].map((kernels) => {
        const out = new Uint8Array(rowBytes(type, 256)!);
        const error = kernels.encode(type, x, 256, out, importance ?? undefined);
        return { error, hex: Buffer.from(out).toString('hex') };
      });
      expect(simd).toEqual(reference);
    }),
    { numRuns: 150, seed: 36 },
  );
});
