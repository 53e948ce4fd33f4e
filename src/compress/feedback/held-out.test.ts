import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { gramSource } from '../evidence/gram.ts';
import { hessianSource } from '../evidence/hessian.ts';
import { normalWeights, tensorOf } from '../one-tensor.cases.ts';
import { Couplings } from './couplings.ts';
import { heldOutCosts } from './held-out.ts';

const transcoder = inlineTranscoder(scalarKernels);
const [rows, columns] = [4, 256];
const weights = normalWeights(rows * columns, 5);
const tensor = tensorOf(weights, columns);

/** Neighbours correlate by r^distance; sums over ten tokens. */
function correlated(size: number, r: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size * size }, (_, at) => {
    return 10 * r ** Math.abs(Math.floor(at / size) - (at % size));
  });
}

/** Columns correlate by ρ^distance, rows by σ^distance; sums over ten tokens. */
function evidence(rho: number, sigma: number): Evidence {
  const hessians = hessianSource(
    {
      keptAs: new Map([['w', 'w']]),
      shapes: new Map([['w', { columns, blockSize: columns, tokens: 10 }]]),
      weighted: true,
    },
    async () => correlated(columns, rho),
  );
  const grams = gramSource(new Map([['w', { rows, blockSize: rows, tokens: 10 }]]), async () =>
    correlated(rows, sigma),
  );
  return { hessians, grams } as unknown as Evidence;
}

function costsOf(known: Evidence, heldOut: Evidence) {
  const couplings = new Couplings(known, transcoder);
  const importance = new Float32Array(columns).fill(1);
  const tools = { couplings, transcoder, kernels: scalarKernels };
  const options = { evidence: known, heldOut, ...tools, importance };
  return heldOutCosts(tensor, { ...options, type: 'Q4_K' });
}

test('on text like that of the evidence, feedback costs less than half of plain encoding', async () => {
  const { feedback, plain } = (await costsOf(evidence(0.9, 0.7), evidence(0.9, 0.7)))!;
  expect(feedback).toBeLessThan(0.5 * plain);
});

test('on text where nothing correlates that did in the evidence, feedback costs more', async () => {
  const { feedback, plain } = (await costsOf(evidence(0.95, 0.9), evidence(0, 0)))!;
  expect(feedback).toBeGreaterThan(1.2 * plain);
});

test('uncorrelated inputs and rows: the plain cost is half the squared error', async () => {
  const { plain } = (await costsOf(evidence(0, 0), evidence(0, 0)))!;
  const out = new Uint8Array((rows * columns * 144) / 256);
  const importance = new Float32Array(columns).fill(1);
  const { squaredError } = scalarKernels.encode('Q4_K', weights, columns, out, importance);
  expect(plain / (squaredError / 2)).toBeCloseTo(1, 4);
});
