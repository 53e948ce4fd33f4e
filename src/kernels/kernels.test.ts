import { expect, test } from 'vitest';
import { importanceCases, shapes, tensorTypes, valueCases } from './kernels.cases.ts';
import { encodableTypes, type EncodableType, type Kernels } from './kernels.ts';
import { scalarKernels } from './scalar.ts';
import { createWasmKernels } from './wasm.ts';
import { blockTypes, rowBytes } from '../tensor/block-types.ts';
import { unitOf } from '../tensor/dtypes.ts';
import { f32ToBf16 } from '../util/half-float.ts';

const wasm = await createWasmKernels();

/** Strings compare much faster than arrays. */
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function encoded(
  kernels: Kernels,
  type: EncodableType,
  values: Float32Array,
  columns: number,
  importance?: Float32Array,
) {
  const out = new Uint8Array(rowBytes(type, columns)! * (values.length / columns));
  const error = kernels.encode(type, values, columns, out, importance);
  return { error, hex: hexOf(out) };
}

/** Weights as bfloat16 bytes. */
function bf16Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, f32ToBf16).buffer);
}

/** No importance, and two of the others in turn: every importance meets six kinds of weights. */
function importancesFor(index: number) {
  const count = importanceCases.length;
  return [undefined, importanceCases[index % count]!, importanceCases[(index + 3) % count]!];
}

test.each(encodableTypes)(
  '%s is encoded by wasm as by the scalar reference, bit for bit',
  (type) => {
    for (const { rows, blocks, cases } of shapes) {
      const columns = blocks * blockTypes[type].weights;
      for (const [index, { label, make }] of valueCases.slice(0, cases).entries()) {
        const values = make(rows * columns);
        for (const importance of importancesFor(index)) {
          const weights = importance?.make(columns);
          const title = `${label}, ${importance?.label ?? 'no importance'}`;
          const expected = encoded(scalarKernels, type, values, columns, weights);
          expect(
            encoded(wasm, type, values, columns, weights),
            `${rows} × ${columns}, ${title}`,
          ).toEqual(expected);
        }
      }
    }
  },
);

test('F16, BF16 and F32 rows of 1 to 37 weights are encoded alike', () => {
  for (const type of ['F16', 'BF16', 'F32'] as const)
    for (let columns = 1; columns < 38; columns++) {
      const values = valueCases.at(-1)!.make(3 * columns);
      const expected = encoded(scalarKernels, type, values, columns);
      expect(encoded(wasm, type, values, columns), `${type} ${columns}`).toEqual(expected);
    }
});

test('all 65,536 F16 and BF16 and all 256 F8 bit patterns decode alike', () => {
  const words = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
  const octets = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const type of ['F16', 'BF16', 'F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const) {
    const bytes = type.startsWith('F8') ? octets : words;
    const count = type.startsWith('F8') ? 256 : 65536;
    const [values, expected] = [new Float32Array(count), new Float32Array(count)];
    wasm.decode(type, bytes, values);
    scalarKernels.decode(type, bytes, expected);
    expect(
      values.every((x, i) => Object.is(x, expected[i])),
      `of ${type}`,
    ).toBe(true);
  }
});

/** Bytes that are finite numbers in every format: the two top bits of each are 0. */
const finiteBytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37) & 63);

test('transcoding from all 43 types equals decoding, then encoding', () => {
  for (const from of tensorTypes) {
    const [rows, columns] = [3, 256];
    const bytes = finiteBytes(((rows * columns) / unitOf(from).weights) * unitOf(from).bytes);
    const values = new Float32Array(rows * columns);
    scalarKernels.decode(from, bytes, values);
    const expected = encoded(scalarKernels, 'Q8_0', values, columns);
    for (const kernels of [wasm, scalarKernels]) {
      const out = new Uint8Array(rows * rowBytes('Q8_0', columns)!);
      const error = kernels.transcode({ from, to: 'Q8_0', columns, bytes, out });
      expect({ error, hex: hexOf(out) }, `${from}, ${kernels.name}`).toEqual(expected);
    }
  }
});

test('a slab of 3 steps of 16,384 weights with importance is transcoded alike', () => {
  const columns = 8192;
  const bytes = bf16Bytes(valueCases[1]!.make(5 * columns));
  const importance = importanceCases[1]!.make(columns);
  const results = [wasm, scalarKernels].map((kernels) => {
    const out = new Uint8Array(5 * rowBytes('Q4_0', columns)!);
    const job = { from: 'BF16', to: 'Q4_0', columns, bytes, out, importance } as const;
    return { error: kernels.transcode(job), hex: hexOf(out) };
  });
  expect(results[0]).toEqual(results[1]);
});

test.each([wasm, scalarKernels])('$name finds the first NaN and the first infinity', (kernels) => {
  const columns = 96;
  for (const bad of [NaN, Infinity, -Infinity])
    for (const index of [0, 37, 16416, 19199]) {
      const values = valueCases[1]!.make(200 * columns);
      values[index] = bad;
      if (index < 19000) values[19001] = bad;
      const bytes = bf16Bytes(values);
      const out = new Uint8Array(200 * rowBytes('Q8_0', columns)!);
      const row = Math.floor(index / columns);
      const place = `Weight ${index} of the BF16 slab (row ${row}, column ${index % columns})`;
      expect(kernels.firstNonFinite('BF16', bytes)).toBe(index);
      expect(() =>
        kernels.transcode({ from: 'BF16', to: 'Q8_0', columns, bytes, out }),
      ).toThrowError(
        expect.objectContaining({ code: 'not-finite', message: expect.stringContaining(place) }),
      );
    }
});

test.each([wasm, scalarKernels])(
  '$name refuses sizes that disagree, with the numbers',
  (kernels) => {
    const x = new Float32Array(64);
    const q8 = (columns: number, out: number, importance?: number) => () =>
      kernels.encode(
        'Q8_0',
        x,
        columns,
        new Uint8Array(out),
        importance === undefined ? undefined : new Float32Array(importance),
      );
    expect(q8(48, 68)).toThrow('64 weights are not whole rows of 48');
    expect(q8(16, 68)).toThrow('Rows of 16 weights do not divide into Q8_0 blocks of 32');
    expect(q8(32, 67)).toThrow('Q8_0 needs 68 bytes here, not 67');
    expect(q8(32, 68, 31)).toThrow('31 importance values for 32 columns');
    expect(() => kernels.decode('Q4_K', new Uint8Array(143), x)).toThrow('units of 144 bytes');
    expect(() => kernels.decode('Q4_K', new Uint8Array(144), x)).toThrow('there is room for 64');
    const job = { from: 'Q4_K', to: 'Q8_0', columns: 128, bytes: new Uint8Array(144) } as const;
    expect(() => kernels.transcode({ ...job, out: new Uint8Array(272) })).toThrow(
      'Rows of 128 weights are not whole Q4_K blocks of 256',
    );
  },
);
