import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import type { Model } from '../../models/model.ts';
import { columnsOf, weightsOf, type Tensor } from '../../tensor/tensor.ts';
import { seededRandom } from '../../util/random.ts';
import type { Evidence, SecondMoments } from '../evidence/evidence.ts';
import { parseOverride } from '../quantize/overrides.ts';
import { predictCosts, type CostOptions } from './costs.ts';
import type { Rounder } from './rounder.ts';

const transcoder = inlineTranscoder(scalarKernels);
const tokens = 1000;

/** A model whose weights are drawn from N(0, 1) and evidence with moments between 0 and 1. */
function made(shapes: Record<string, readonly number[]>): {
  model: Model;
  evidence: Evidence;
  weights: Map<string, Float32Array>;
} {
  const random = seededRandom(5);
  const empty = fakeModel({ architecture: 'llama', shapes, type: 'F32' });
  const weights = new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      Float32Array.from({ length: weightsOf(shape) }, () => random.normal()),
    ]),
  );
  const tensors = new Map(
    [...empty.tensors].map(([name, tensor]) => {
      const columns = columnsOf(tensor.shape);
      const of = (first: number, count: number) =>
        weights.get(name)!.slice(first * columns, (first + count) * columns);
      const read = async (first: number, count: number) => new Uint8Array(of(first, count).buffer);
      return [name, { ...tensor, read }];
    }),
  );
  const moments = (experts: number, size: number): SecondMoments => {
    const counts = Float64Array.from({ length: experts }, (_, at) =>
      experts === 1 ? tokens : (at + 1) * 100,
    );
    const sums = Float64Array.from(
      { length: experts * size },
      (_, at) => counts[Math.floor(at / size)]! * random.uniform() ** 4,
    );
    return { experts, size, sums, counts };
  };
  const matrices = Object.entries(shapes).flatMap(([name, shape]) => {
    const experts = shape.length > 2 ? shape[0]! : 1;
    const [rows, columns] = shape.slice(-2) as [number, number];
    return name.includes('norm')
      ? []
      : [[name, { inputs: moments(experts, columns), outputs: moments(experts, rows) }] as const];
  });
  const [vocabulary, width] = shapes['token_embd.weight'] ?? [1, 1];
  const evidence: Evidence = {
    source: {
      model: 'fake',
      modelHash: '',
      tokenizerHash: '',
      datasets: [],
      dataHash: '',
      seed: 1,
    },
    tokens,
    windowTokens: 100,
    tensors: new Map(matrices),
    embedding: {
      gradients: moments(1, width!),
      rows: Float64Array.from({ length: vocabulary! }, (_, row) => row % 7),
    },
    warnings: [],
  };
  return { model: { ...empty, tensors }, evidence, weights };
}

const all: CostOptions = { types: ['Q8_0', 'Q4_0'], transcoder, rows: Infinity };

/** Σ weight(row, column) · error² / 2 of rounding to `type` with these column weights, by the definition. */
function byHand(
  values: Float32Array,
  columns: number,
  importance: Float32Array,
  weight: (row: number, column: number) => number,
): number {
  const bytes = new Uint8Array((values.length / 32) * 18);
  scalarKernels.encode('Q4_0', values, columns, bytes, importance);
  const decoded = new Float32Array(values.length);
  scalarKernels.decode('Q4_0', bytes, decoded);
  return values.reduce(
    (sum, value, at) =>
      sum + weight(Math.floor(at / columns), at % columns) * ((value - decoded[at]!) ** 2 / 2),
    0,
  );
}

const name = 'blk.0.ffn_up.weight';

test('a matrix costs ½ Σ g v Δ² of the weights as a decoder reads them back', async () => {
  const { model, evidence, weights } = made({ [name]: [40, 64] });
  const { inputs, outputs } = evidence.tensors.get(name)!;
  const v = Float32Array.from(inputs.sums, (sum) => sum / tokens);
  const expected = byHand(
    weights.get(name)!,
    64,
    v,
    (row, column) => (outputs!.sums[row]! / tokens) * (inputs.sums[column]! / tokens),
  );
  const costs = await predictCosts(model, evidence, all);
  const [q8, q4] = costs.get(name)!;
  expect([q8!.type, q4!.type]).toEqual(['Q8_0', 'Q4_0']);
  expect(q4!.cost / expected).toBeCloseTo(1, 9);
  expect(q8!.cost).toBeLessThan(expected / 100);
  // 40 rows of two blocks of 34 and 18 bytes, padded to 32.
  expect([q8!.bytes, q4!.bytes]).toEqual([2720, 1440]);
});

/** Experts are drawn to the mean of their layer's 600 tokens by 64 tokens: moments.ts. */
function mean({ sums, counts, size }: SecondMoments, at: number): number {
  const layer = sums.reduce((sum, one, place) => sum + (place % size === at % size ? one : 0), 0);
  const count = counts[Math.floor(at / size)]!;
  return (sums[at]! + (64 * layer) / 600) / (count + 64);
}

test('an expert counts by its share of the tokens, with its own moments', async () => {
  const stack = 'blk.0.ffn_up_exps.weight';
  const { model, evidence, weights } = made({ [stack]: [3, 8, 32] });
  const { inputs, outputs } = evidence.tensors.get(stack)!;
  let expected = 0;
  for (let expert = 0; expert < 3; expert++) {
    const v = Float32Array.from({ length: 32 }, (_, at) => mean(inputs, expert * 32 + at));
    const values = weights.get(stack)!.slice(expert * 256, (expert + 1) * 256);
    expected += byHand(values, 32, v, (row, column) => {
      const g = mean(outputs!, expert * 8 + row) * mean(inputs, expert * 32 + column);
      return g * (((expert + 1) * 100) / tokens);
    });
  }
  const costs = await predictCosts(model, evidence, all);
  expect(costs.get(stack)![1]!.cost / expected).toBeCloseTo(1, 6);
});

const toIntegers: Rounder = async ({ values }) => values.map(Math.round);

test('a tied embedding pays as output matrix and as table', async () => {
  const table = 'token_embd.weight';
  const { model, evidence } = made({ [table]: [64, 32] });
  const together = (await predictCosts(model, evidence, all)).get(table)!;
  // With one use's moments gone, the other is left; the encoder weighs columns by both, integers by none.
  const rounding = { ...all, round: toIntegers };
  const alone = async (changed: Partial<Evidence>) =>
    (await predictCosts(model, { ...evidence, ...changed }, rounding)).get(table)![0]!.cost;
  const both = await alone({});
  const asTable = await alone({ tensors: new Map() });
  const unread = evidence.embedding!.gradients;
  const asMatrix = await alone({
    embedding: {
      ...evidence.embedding!,
      gradients: { ...unread, sums: unread.sums.map(() => 0) },
    },
  });
  expect(asTable).toBeGreaterThan(0);
  expect(asMatrix).toBeGreaterThan(0);
  expect(both / (asTable + asMatrix)).toBeCloseTo(1, 9);
  expect(together[1]!.cost).toBeGreaterThan(together[0]!.cost);
});

test('types whose blocks do not divide a row give way as in llama-quantize; norms and routers are kept', async () => {
  const { model, evidence } = made({
    [name]: [2, 288],
    'blk.0.ffn_down.weight': [2, 256],
    'blk.0.ffn_norm.weight': [288],
    'blk.0.ffn_gate_inp.weight': [4, 288],
  });
  const costs = await predictCosts(model, evidence, { ...all, types: ['Q2_K', 'Q3_K', 'Q6_K'] });
  const types = [...costs].map(([of, choices]) => [of, choices.map(({ type }) => type)]);
  expect(types).toEqual([
    [name, ['Q4_0', 'Q8_0']],
    ['blk.0.ffn_down.weight', ['Q2_K', 'Q3_K', 'Q6_K']],
  ]);
});

test('a minimum type leaves the candidates of as many bits; none is an error', async () => {
  const { model, evidence } = made({ [name]: [2, 256] });
  const minimum = [parseOverride('ffn_up=Q4_0')];
  const options: CostOptions = { ...all, types: ['Q3_K', 'Q4_K', 'Q8_0'], minimum };
  const costs = await predictCosts(model, evidence, options);
  expect(costs.get(name)!.map(({ type }) => type)).toEqual(['Q4_K', 'Q8_0']);
  await expect(predictCosts(model, evidence, { ...options, types: ['Q3_K'] })).rejects.toThrow(
    'at least 4.5 bits',
  );
});

test.each([
  ['tensors', { tensors: new Map() }, 'nothing about blk.0.ffn_up.weight'],
  ['gradients', undefined, 'no gradients'],
  ['another shape', 'shape', 'of 3 rows and 64 columns'],
])('evidence without %s is refused', async (_, change, message) => {
  const { model, evidence } = made({ [name]: [2, 64] });
  const { inputs, outputs } = evidence.tensors.get(name)!;
  const changed =
    change === 'shape'
      ? { inputs, outputs: { ...outputs!, size: 3, sums: new Float64Array(3) } }
      : { inputs };
  const given = typeof change === 'object' ? change : { tensors: new Map([[name, changed]]) };
  await expect(predictCosts(model, { ...evidence, ...given }, all)).rejects.toThrow(message);
});

const known = async (tensor: Tensor) => new Map([['Q4_0', tensor.name.length] as const]);

test('types of known costs are not tried', async () => {
  const { model, evidence } = made({ [name]: [2, 64] });
  const tried: string[] = [];
  const round: Rounder = async ({ type, values }) => {
    tried.push(type);
    return values;
  };
  const costs = await predictCosts(model, evidence, { ...all, round, known });
  expect(costs.get(name)!.map(({ cost }) => cost)).toEqual([0, name.length]);
  expect(tried).toEqual(['Q8_0']);
});

test('stops when it is cancelled', async () => {
  const { model, evidence } = made({ [name]: [2, 64] });
  const signal = AbortSignal.abort();
  await expect(predictCosts(model, evidence, { ...all, signal })).rejects.toThrow('cancelled');
});
