import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cosineVector, ggmlErrorLimit, ggmlTotalError, valueCases } from './kernels.cases.ts';
import { encodableTypes, type EncodableType } from './kernels.ts';
import { createWasmKernels } from './wasm.ts';
import { rowBytes } from '../tensor/block-types.ts';
import { bf16ToF32, f16ToF32 } from '../util/half-float.ts';
import golden from '../../test/golden/ggml-encode.json' with { type: 'json' };

const wasm = await createWasmKernels();
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const fromBf16 = (text: string) =>
  Float32Array.from(new Uint16Array(fromBase64(text).buffer), bf16ToF32);

function encode(type: EncodableType, values: Float32Array, columns: number, v?: Float32Array) {
  const out = new Uint8Array(rowBytes(type, columns)! * (values.length / columns));
  const error = wasm.encode(type, values, columns, out, v);
  const decoded = new Float32Array(values.length);
  wasm.decode(type, out, decoded);
  return { out, error, decoded };
}

const columns = golden.columns;
const importance = fromBf16(golden.importance);
const inputs = Object.entries(golden.inputs).map(
  ([label, text]) => [label, fromBf16(text)] as const,
);
type GoldenType = keyof (typeof golden.errors)['gaussian'];
const lossyTypes = Object.keys(golden.errors.gaussian) as GoldenType[];

function relativeError(x: Float32Array, decoded: Float32Array, weight: (i: number) => number) {
  let [error, norm] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    error += weight(i) * (x[i]! - decoded[i]!) ** 2;
    norm += weight(i) * x[i]! ** 2;
  }
  return Math.sqrt(error / norm);
}

/** ggml's own objective with an imatrix: v √(σ² + x²). */
function ggmlWeights(x: Float32Array): (i: number) => number {
  const means = Array.from({ length: x.length / columns }, (_, row) => {
    const values = x.subarray(row * columns, (row + 1) * columns);
    return values.reduce((sum, value) => sum + value * value, 0) / columns;
  });
  return (i) => importance[i % columns]! * Math.sqrt(means[Math.floor(i / columns)]! + x[i]! ** 2);
}

test.each(encodableTypes)("%s stays under ggml's limit on ggml's cosine vector", (type) => {
  for (const offset of [0, 1]) {
    const x = cosineVector(4096, offset);
    const { decoded } = encode(type, x, 4096);
    expect(ggmlTotalError(x, decoded)).toBeLessThan(ggmlErrorLimit[type]);
  }
});

test('every type that rounds has an error of ggml to be compared with', () => {
  const exact = ['F32', 'F16', 'BF16'];
  expect([...lossyTypes].sort()).toEqual(
    encodableTypes.filter((type) => !exact.includes(type)).sort(),
  );
});

test.each(lossyTypes)("%s has at most ggml's error without imatrix", (type) => {
  for (const [label, x] of inputs) {
    const error = relativeError(x, encode(type, x, columns).decoded, () => 1);
    expect(error, `on ${label}`).toBeLessThanOrEqual(
      golden.errors[label as keyof typeof golden.errors][type].plain * (1 + 1e-6),
    );
  }
});

/**
 * With an imatrix v, encoders minimise ggml's objective. By v alone, which neither minimises, either
 * may come out a little better on a given matrix.
 */
const sameByImportance = 1.005;

test.each(lossyTypes)("%s has at most ggml's error with imatrix, by ggml's objective", (type) => {
  for (const [label, x] of inputs) {
    const { decoded } = encode(type, x, columns, importance);
    const { byImportance, byGgml } = golden.errors[label as keyof typeof golden.errors][type];
    const error = relativeError(x, decoded, ggmlWeights(x));
    expect(error, `on ${label}`).toBeLessThanOrEqual(byGgml * (1 + 1e-6));
    expect(
      relativeError(x, decoded, (i) => importance[i % columns]!),
      `on ${label}`,
    ).toBeLessThanOrEqual(byImportance * sameByImportance);
  }
});

test('Q8_0 writes the bytes that ggml writes', () => {
  const row = inputs[0]![1].subarray(0, columns);
  expect(encode('Q8_0', row, columns).out).toEqual(fromBase64(golden.firstGaussianRow.Q8_0));
});

test('Q8_0 rounds half away from zero: 0.5 to 1, -2.5 to -3, but 0.5 - 2⁻²⁵ to 0', () => {
  const x = new Float32Array(32);
  x.set([127, 0.5, -0.5, -2.5, 1.5, 0.5 - 2 ** -25, 2 ** -25 - 0.5]);
  const { decoded } = encode('Q8_0', x, 32);
  expect([...decoded.subarray(0, 7)]).toEqual([127, 1, -1, -3, 2, 0, 0]);
});

test('MXFP4 blocks with the exponent that ggml takes are the bytes that ggml writes', () => {
  const row = inputs[0]![1].subarray(0, columns);
  const ours = encode('MXFP4', row, columns).out;
  const theirs = fromBase64(golden.firstGaussianRow.MXFP4);
  const same = Array.from({ length: columns / 32 }, (_, block) => block * 17).filter(
    (at) => ours[at] === theirs[at],
  );
  expect(same.length).toBeGreaterThan(16);
  for (const at of same) expect(ours.slice(at, at + 17)).toEqual(theirs.slice(at, at + 17));
});

test.each(encodableTypes)('%s reports the error of what its decoder reads, within 1e-5', (type) => {
  for (const { label, make } of valueCases) {
    const x = make(768);
    const { error, decoded } = encode(type, x, 256);
    const norm = x.reduce((sum, value) => sum + value * value, 0);
    const squared = x.reduce((sum, value, i) => sum + Math.fround(value - decoded[i]!) ** 2, 0);
    expect(Math.abs(error.squaredNorm - norm), `on ${label}`).toBeLessThanOrEqual(1e-5 * norm);
    expect(Math.abs(error.squaredError - squared), `on ${label}`).toBeLessThanOrEqual(
      1e-5 * squared,
    );
  }
});

test.each(encodableTypes)('%s never writes what decodes to NaN or infinity', (type) => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  const block = fc.array(float, { minLength: 256, maxLength: 256 });
  fc.assert(
    fc.property(block, (numbers) => {
      const { out } = encode(type, Float32Array.from(numbers), 256);
      expect(wasm.firstNonFinite(type, out)).toBe(-1);
    }),
    { numRuns: 60, seed: 1 },
  );
});

test.each(encodableTypes)('%s keeps zeros', (type) => {
  expect(encode(type, new Float32Array(512), 256).decoded.every((x) => x === 0)).toBe(true);
});

const weights = (scale: number) =>
  fc
    .array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 32, maxLength: 32 })
    .map((x) => Float32Array.from(x, (value) => value * scale));

test('Q8_0 stays within 0.57 of a step: 1/2 + 127 · 2⁻¹¹ = 0.562 while its scale is normal', () => {
  fc.assert(
    fc.property(weights(4), (x) => {
      const { out, decoded } = encode('Q8_0', x, 32);
      const step = f16ToF32(out[0]! | (out[1]! << 8));
      if (step < 2 ** -14) return;
      for (let i = 0; i < 32; i++)
        expect(Math.abs(x[i]! - decoded[i]!)).toBeLessThanOrEqual(0.57 * step);
    }),
    { numRuns: 300, seed: 2 },
  );
});

test('Q8_0 with a subnormal scale stays within half a step of 2⁻²⁴, or clips at 127 steps', () => {
  fc.assert(
    fc.property(weights(2e-3), (x) => {
      const { out, decoded } = encode('Q8_0', x, 32);
      const step = f16ToF32(out[0]! | (out[1]! << 8));
      for (let i = 0; i < 32; i++) {
        const clipped = Math.min(Math.max(x[i]!, -127 * step), 127 * step);
        expect(Math.abs(clipped - decoded[i]!)).toBeLessThanOrEqual(0.5001 * step);
      }
    }),
    { numRuns: 300, seed: 3 },
  );
});

test.each([
  ['Q4_0', -8, 7, 0],
  ['Q5_0', -16, 15, 0],
  ['Q4_1', 0, 15, 2],
  ['Q5_1', 0, 31, 2],
] as const)('%s rounds to the nearest of its levels %i to %i', (type, low, high, minAt) => {
  fc.assert(
    fc.property(weights(3), (x) => {
      const { out, decoded } = encode(type, x, 32);
      const d = f16ToF32(out[0]! | (out[1]! << 8));
      const m = minAt ? f16ToF32(out[minAt]! | (out[minAt + 1]! << 8)) : 0;
      const ends = [m + d * low, m + d * high].sort((a, b) => a - b);
      for (let i = 0; i < 32; i++) {
        const clipped = Math.min(Math.max(x[i]!, ends[0]!), ends[1]!);
        expect(Math.abs(clipped - decoded[i]!)).toBeLessThanOrEqual(0.5001 * Math.abs(d) + 1e-6);
      }
    }),
    { numRuns: 200, seed: 4 },
  );
});

test.each(['Q4_1', 'Q5_1'] as const)(
  '%s holds a constant that binary16 cannot: -1000.3 within 0.02, where rounding leaves 0.2',
  (type) => {
    const { decoded } = encode(type, new Float32Array(32).fill(-1000.3), 32);
    for (const x of decoded) expect(Math.abs(x + 1000.3)).toBeLessThan(0.02);
  },
);

test.each(['TQ1_0', 'TQ2_0'] as const)('%s is lossless on weights that are ternary', (type) => {
  for (const d of [0.03125, 1, 0.01702880859375]) {
    const x = Float32Array.from({ length: 256 }, (_, i) => d * (((i * 7 + (i >> 3)) % 3) - 1));
    expect(encode(type, x, 256).decoded).toEqual(x);
  }
});

test.each([2, 3, 4])(
  'Q2_0 is lossless on the first %i of the levels −d, 0, d and 2 d',
  (levels) => {
    for (const d of [0.03125, -1, 0.01702880859375]) {
      const x = Float32Array.from(
        { length: 256 },
        (_, i) => d * (((i * 7 + (i >> 3)) % levels) - 1),
      );
      expect(encode('Q2_0', x, 256).error.squaredError).toBe(0);
    }
  },
);

test('Q1_0 is lossless on −d and d', () => {
  for (const d of [0.03125, -1, 0.01702880859375]) {
    const x = Float32Array.from({ length: 256 }, (_, i) => ((i * 7 + (i >> 3)) % 2 ? d : -d));
    expect(encode('Q1_0', x, 256).decoded).toEqual(x);
  }
});

/** Q8_0 and Q1_0 do not use importance, as in ggml. */
test.each(lossyTypes.filter((type) => type !== 'Q8_0' && type !== 'Q1_0'))(
  '%s with importance lowers the error where it matters',
  (type) => {
    const x = inputs[0]![1];
    const weigh = ggmlWeights(x);
    const plain = relativeError(x, encode(type, x, columns).decoded, weigh);
    const weighted = relativeError(x, encode(type, x, columns, importance).decoded, weigh);
    expect(weighted).toBeLessThan(plain);
  },
);

test('a scale that overflows binary16 is clamped: ±10⁷ in Q4_0 becomes -8 and 7 times 65504', () => {
  const x = Float32Array.from({ length: 32 }, (_, i) => (i % 2 ? 1e7 : -1e7));
  const levels = [...new Set(encode('Q4_0', x, 32).decoded)].map(Math.abs).sort((a, b) => a - b);
  expect(levels).toEqual([7 * 65504, 8 * 65504]);
});

test('blocks are independent of the rows around them', () => {
  const x = inputs[1]![1];
  for (const type of encodableTypes) {
    const { out } = encode(type, x, columns);
    const size = rowBytes(type, columns)!;
    const alone = encode(type, x.slice(columns, 2 * columns), columns).out;
    expect(out.slice(size, 2 * size), `of ${type}`).toEqual(alone);
  }
});
