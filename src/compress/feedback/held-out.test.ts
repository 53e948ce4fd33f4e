import { expect, test } from 'vitest';
import { roundTrip } from '../../kernels/round-trip.ts';
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

/** So many that damping is the least there is. */
const tokens = 10_000;

/** Neighbours correlate by r^distance; sums over tokens. */
function correlated(size: number, r: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size * size }, (_, at) => {
    return tokens * r ** Math.abs(Math.floor(at / size) - (at % size));
  });
}

/** Columns correlate by ρ^distance, rows by σ^distance; sums over tokens. */
function evidence(rho: number, sigma: number): Evidence {
  const hessians = hessianSource(
    {
      keptAs: new Map([['w', 'w']]),
      shapes: new Map([['w', { columns, blockSize: columns, tokens }]]),
      weighted: true,
    },
    async () => correlated(columns, rho),
  );
  const grams = gramSource(new Map([['w', { rows, blockSize: rows, tokens }]]), async () =>
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

/** Tokens of three experts in the evidence, and on held-out text; no token goes to the second. */
const seen = { known: [300, 0, 36], heldOut: [30, 0, 6] } as const;

/** A stack of three experts, `[3, rows, columns]`, whose rows' gradients have mean squares 1, 2, 3, ... */
function stackEvidence(counts: readonly number[], rho: number, each: number): Evidence {
  const keptAs = new Map([['w', 'w']]);
  const shapes = new Map([['w', { columns, blockSize: columns, tokens }]]);
  const hessians = hessianSource({ keptAs, shapes, weighted: true }, async () =>
    correlated(columns, rho),
  );
  const moments = (size: number) => ({
    experts: 3,
    size,
    sums: Float64Array.from(
      { length: 3 * size },
      (_, at) => (at + 1) * counts[Math.floor(at / size)]!,
    ),
    counts: Float64Array.from(counts),
  });
  const tensors = new Map([['w', { inputs: moments(columns), outputs: moments(each) }]]);
  // Two experts a token.
  const all = counts.reduce((sum, count) => sum + count, 0) / 2;
  return { tokens: all, tensors, hessians } as unknown as Evidence;
}

/** Each expert cares for another third of the columns. */
const ofExperts = Float32Array.from({ length: 3 * columns }, (_, at) => {
  const [expert, column] = [Math.floor(at / columns), at % columns];
  return Math.floor((3 * column) / columns) === expert ? 9 : 1;
});

async function stackCosts(values: Float32Array<ArrayBuffer>, count?: number) {
  const each = values.length / columns / 3;
  const known = stackEvidence(seen.known, 0.9, each);
  const heldOut = stackEvidence(seen.heldOut, 0.8, each);
  const couplings = new Couplings(known, transcoder);
  const options = { evidence: known, heldOut, couplings, transcoder, kernels: scalarKernels };
  const sampled = count === undefined ? {} : { rows: count };
  const own = { ...tensorOf(values, columns), shape: [3, each, columns] };
  const costs = (await heldOutCosts(own, {
    ...options,
    ...sampled,
    importance: ofExperts,
    type: 'Q4_K',
  }))!;
  return { costs, couplings };
}

/** What is drawn to the mean of the 36 held-out tokens by 64: (sum + 64 mean) / (count + 64). */
const drawn = (sum: number, mean: number, count: number) => (sum + 64 * mean) / (count + 64);

/** ½ Σ g_i Δ_i H Δ_iᵀ of a stack of two rows an expert, by the definition; H with an expert's own mean squares. */
function byHand(values: Float32Array, decoded: Float32Array): number {
  // Rows: 1·30 + 5·6 and 2·30 + 6·6 over 36 tokens. The experts' shares of 18 tokens, two experts each.
  const [even, odd] = [60 / 36, 96 / 36];
  const first = [drawn(30, even, 30), drawn(60, odd, 30)].map((mean) => (mean * 30) / 18);
  const last = [drawn(30, even, 6), drawn(36, odd, 6)].map((mean) => (mean * 6) / 18);
  const g = [...first, 0, 0, ...last];
  let cost = 0;
  for (const [row, weight] of g.entries()) {
    const [expert, count] = row < 2 ? [0, 30] : [2, 6];
    const errors = Array.from({ length: columns }, (_, column) => {
      const mean = (30 * (column + 1) + 6 * (2 * columns + column + 1)) / 36;
      const own = drawn(count * (expert * columns + column + 1), mean, count);
      const at = row * columns + column;
      return (values[at]! - decoded[at]!) * Math.sqrt(own / mean);
    });
    for (const [i, a] of errors.entries())
      for (const [j, b] of errors.entries()) cost += (weight / 2) * a * 0.8 ** Math.abs(i - j) * b;
  }
  return cost;
}

const stack = normalWeights(6 * columns, 7);

test('a stack by its definition: experts encoded with their own importance, judged by one Hessian', async () => {
  const { costs, couplings } = await stackCosts(stack);
  const plain = new Float32Array(stack.length);
  for (let expert = 0; expert < 3; expert++) {
    const out = new Uint8Array((2 * columns * 144) / 256);
    const importance = ofExperts.subarray(expert * columns, (expert + 1) * columns);
    const own = stack.subarray(2 * expert * columns, 2 * (expert + 1) * columns);
    scalarKernels.encode('Q4_K', own, columns, out, importance);
    scalarKernels.decode('Q4_K', out, plain.subarray(2 * expert * columns));
  }
  expect(costs.plain / byHand(stack, plain)).toBeCloseTo(1, 4);
  // As the file gets them: no rows are coupled.
  const coupling = (await couplings.couplingOf('w', 0))!;
  const bytes = new Uint8Array(stack.buffer);
  const slab = { from: 'F32', to: 'Q4_K', columns, bytes, coupling } as const;
  const fedBack = await roundTrip(transcoder, slab);
  expect(costs.feedback / byHand(stack, fedBack)).toBeCloseTo(1, 4);
  expect(costs.feedback).toBeLessThan(0.7 * costs.plain);
});

test('an expert that no token goes to costs nothing, however large its weights', async () => {
  const { costs } = await stackCosts(stack);
  const large = stack.map((weight, at) =>
    Math.floor(at / columns / 2) === 1 ? 1e4 * weight : weight,
  );
  expect((await stackCosts(large)).costs).toEqual(costs);
});

test('16 of 48 rows of a stack tell what all cost, within a fifth', async () => {
  const many = normalWeights(48 * columns, 9);
  const { costs: some } = await stackCosts(many, 16);
  const { costs: all } = await stackCosts(many);
  expect(Math.abs(some.plain / all.plain - 1)).toBeLessThan(0.2);
  expect(Math.abs(some.feedback / all.feedback - 1)).toBeLessThan(0.2);
});
