import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { gramSource } from '../evidence/gram.ts';
import { hessianSource } from '../evidence/hessian.ts';
import { normalWeights, tensorOf } from '../one-tensor.cases.ts';
import { coupledCosts } from './coupled-costs.ts';
import { Couplings } from './couplings.ts';

const transcoder = inlineTranscoder(scalarKernels);
const [rows, columns] = [6, 64];
const weights = normalWeights(rows * columns, 3);
const tensor = tensorOf(weights, columns);

const diagonal = (values: number[]) =>
  Float32Array.from({ length: values.length ** 2 }, (_, at) => {
    return at % (values.length + 1) === 0 ? values[at / (values.length + 1)]! : 0;
  });

/** Inputs of mean square 2 that nothing couples, and rows whose gradients have mean squares 1, 4, 9, ... */
function evidence(withGrams: boolean): Evidence {
  const hessians = hessianSource(
    {
      keptAs: new Map([['w', 'w']]),
      shapes: new Map([['w', { columns, blockSize: columns, tokens: 1 }]]),
      weighted: true,
    },
    async () => diagonal(Array.from({ length: columns }, () => 2)),
  );
  const squares = Array.from({ length: rows }, (_, row) => (row + 1) ** 2);
  const grams = gramSource(new Map([['w', { rows, blockSize: rows, tokens: 1 }]]), async () =>
    diagonal(squares),
  );
  const counts = Float64Array.of(1);
  const inputs = { experts: 1, size: columns, sums: new Float64Array(columns).fill(2), counts };
  const outputs = { experts: 1, size: rows, sums: Float64Array.from(squares), counts };
  const tensors = new Map([['w', { inputs, outputs }]]);
  const known = { tokens: 1, tensors, hessians, ...(withGrams && { grams }) };
  return known as unknown as Evidence;
}

/** ½ Σ g_i v_j Δ_ij² of rounding to nearest with one scale a block: what nothing coupled must come to. */
function plainCost(): number {
  const out = new Uint8Array((rows * columns * 34) / 32);
  const importance = new Float32Array(columns).fill(1);
  scalarKernels.encode('Q8_0', weights, columns, out, importance);
  const decoded = new Float32Array(weights.length);
  scalarKernels.decode('Q8_0', out, decoded);
  return weights.reduce((sum, weight, at) => {
    return sum + (Math.floor(at / columns) + 1) ** 2 * (weight - decoded[at]!) ** 2;
  }, 0);
}

test.each([false, true])(
  'uncoupled rows and columns cost what their squares do (with Grams: %s)',
  async (withGrams) => {
    const known = evidence(withGrams);
    const couplings = new Couplings(known, transcoder, { columnDamping: 0, rowDamping: 0 });
    const options = { evidence: known, couplings, transcoder };
    const costs = (await coupledCosts(tensor, ['Q8_0', 'F16'], options))!;
    expect([...costs.keys()]).toEqual(['Q8_0']);
    // Scales are fitted to a block here, to a row's mean square there: 0.5 % apart.
    expect(Math.abs(costs.get('Q8_0')! / plainCost() - 1)).toBeLessThan(0.01);
  },
);

test('two of six coupled rows stand for all by their share of the squares', async () => {
  const known = evidence(true);
  const couplings = new Couplings(known, transcoder, { columnDamping: 0, rowDamping: 0 });
  const options = { evidence: known, couplings, transcoder, rows: 2 };
  const costs = (await coupledCosts(tensor, ['Q8_0'], options))!;
  // Rows are alike, so that the sample's cost per squared gradient is near that of all (32 and 32 scales each).
  expect(costs.get('Q8_0')! / plainCost()).toBeGreaterThan(0.6);
  expect(costs.get('Q8_0')! / plainCost()).toBeLessThan(1.6);
});

test('a tensor without a Hessian has no coupled costs', async () => {
  const known = evidence(false);
  const couplings = new Couplings(known, transcoder);
  const other = { ...tensor, name: 'other' };
  const options = { evidence: known, couplings, transcoder };
  expect(await coupledCosts(other, ['Q8_0'], options)).toBeUndefined();
});
