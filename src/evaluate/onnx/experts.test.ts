import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Engine, StoredTensor } from '../../graph/engine.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import type { ElementType, Shape, TensorData } from '../../graph/value.ts';
import { decoderGraph } from '../../models/graph/decoder.ts';
import { golden, goldenModel, ids, maxDelta, weightsFor } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import { expertTensors } from './expert-tensors.ts';
import { expertRuns } from './experts.ts';
import { openOnnxScorer, type OnnxScorerOptions } from './open.ts';

const descriptions = golden.decoders.filter(({ label }) => /moe|mixtral/.test(label));
const mixtral = goldenModel(descriptions.find(({ label }) => label === 'mixtral')!);
const vocabulary = 32;

const open = (options: OnnxScorerOptions = {}, model: Model = mixtral, engine?: Engine) =>
  openOnnxScorer(model, engine ?? new ReferenceEngine(), { contextLength: 64, ...options });

const text = (length: number, step = 7) =>
  Int32Array.from({ length }, (_, at) => (at * step + 1) % vocabulary);

/** ln P of each token but the first, by the whole graph, in which every expert sees every token. */
async function dense(model: Model, tokens: Int32Array): Promise<number[]> {
  const graph = decoderGraph(model, { batch: 1, length: tokens.length, logits: 'all' });
  const program = await new ReferenceEngine().compile(graph);
  const weights = await weightsFor(model, graph);
  const { outputs } = await program.run({ ...weights, tokens: ids([...tokens]) });
  return Array.from(tokens.subarray(1), (token, row) => {
    const start = row * vocabulary;
    const logits = [...(outputs['logits'] as Float32Array).subarray(start, start + vocabulary)];
    return logits[token]! - Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
  });
}

/** The model with the numbers of one tensor changed. */
function changed(name: string, change: (value: number, at: number) => number): Model {
  const tensor = mixtral.tensors.get(name)!;
  const columns = tensor.shape.at(-1)!;
  const read = async (first: number, count: number) => {
    const bytes = (await tensor.read(first, count)).slice();
    const values = new Float32Array(bytes.buffer);
    values.set(values.map((value, at) => change(value, first * columns + at)));
    return bytes;
  };
  return { ...mixtral, tensors: new Map(mixtral.tensors).set(name, { ...tensor, read }) };
}

test.each(descriptions)(
  'experts on their own tokens give ln P within 1e-5 of experts on all tokens: $label',
  async (description) => {
    const model = goldenModel(description);
    const windows = [5, 16, 24].map((length, at) => text(length, at + 3));
    for (const mode of ['whole', 'byBlock'] as const) {
      const scorer = await open({ mode }, model);
      const scored = await Promise.all(windows.map((tokens) => scorer.score({ tokens, first: 1 })));
      for (const [at, tokens] of windows.entries())
        expect(maxDelta(scored[at]!.logProbs, await dense(model, tokens))).toBeLessThan(1e-5);
    }
  },
);

test('a stack of experts can be replaced, and comes back', async () => {
  const name = 'blk.0.ffn_down_exps.weight';
  const tokens = text(12);
  const other = changed(name, (value, at) => value + (at % 3));
  const tensor = other.tensors.get(name)!;
  const bytes = await tensor.read(0, tensor.shape[0]! * tensor.shape[1]!);
  for (const mode of ['whole', 'byBlock'] as const) {
    const scorer = await open({ mode });
    const before = await scorer.score({ tokens, first: 1 });
    await scorer.replaceWeights(name, new Float32Array(bytes.slice().buffer));
    const { logProbs } = await scorer.score({ tokens, first: 1 });
    expect(maxDelta(logProbs, await dense(other, tokens))).toBeLessThan(1e-5);
    await scorer.replaceWeights(name);
    expect(await scorer.score({ tokens, first: 1 })).toEqual(before);
  }
});

test.each(['blk.1.ffn_gate_inp.weight', 'blk.1.ffn_up_exps.weight'])(
  'a NaN in %s is found in block 1',
  async (name) => {
    const scorer = await open(
      {},
      changed(name, () => NaN),
    );
    await expect(scorer.score({ tokens: text(9), first: 3 })).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringContaining('block 1 (blk.1) makes the first'),
    });
  },
);

/** Counts the tensors of one shape that are stored at once. */
class CountingEngine extends ReferenceEngine {
  readonly #shape: string;
  #now = 0;
  most = 0;

  constructor(shape: Shape) {
    super();
    this.#shape = shape.join();
  }

  override async store(type: ElementType, shape: Shape, data: TensorData): Promise<StoredTensor> {
    const stored = await super.store(type, shape, data);
    if (shape.join() !== this.#shape) return stored;
    this.most = Math.max(this.most, ++this.#now);
    return Object.assign(stored, {
      release: async () => {
        this.#now--;
      },
    });
  }
}

test('by block, two experts are in memory: one that runs, and the next', async () => {
  const [, width, inner] = mixtral.tensors.get('blk.0.ffn_down_exps.weight')!.shape;
  const engine = new CountingEngine([width!, inner!]);
  const scorer = await open({ mode: 'byBlock' }, mixtral, engine);
  await scorer.score({ tokens: text(40), first: 1 });
  expect(engine.most).toBe(2);
});

test('an expert that no token goes to is not read', async () => {
  const reads = new Set<number>();
  const name = 'blk.0.ffn_up_exps.weight';
  const stack = mixtral.tensors.get(name)!;
  const rows = stack.shape[1]!;
  const watched: typeof stack = {
    ...stack,
    read: (first, count, into) => {
      reads.add(first / rows);
      return stack.read(first, count, into);
    },
  };
  const model = { ...mixtral, tensors: new Map(mixtral.tensors).set(name, watched) };
  const scorer = await open({ mode: 'byBlock', contextLength: 2 }, model);
  await scorer.score({ tokens: text(2), first: 1 });
  // 2 tokens of 2 experts each.
  expect(reads.size).toBeGreaterThanOrEqual(2);
  expect(reads.size).toBeLessThanOrEqual(4);
});

test('the tensors of experts have the rows of their stack', async () => {
  const stack = mixtral.tensors.get('blk.0.ffn_up_exps.weight')!;
  const [count, rows, columns] = stack.shape as [number, number, number];
  const experts = expertTensors(stack);
  expect(experts.map(({ name }) => name)).toEqual(
    Array.from({ length: count }, (_, at) => `blk.0.ffn_up_exps.${at}.weight`),
  );
  for (const [at, expert] of experts.entries()) {
    expect(expert.shape).toEqual([rows, columns]);
    expect(await expert.read(1, 2)).toEqual(await stack.read(at * rows + 1, 2));
  }
});

test('runs hold all tokens; padding is less than 32 rows or less than a quarter of the last run', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (tokens) => {
      const runs = expertRuns(tokens);
      const padding = runs.reduce((sum, rows) => sum + rows, 0) - tokens;
      expect(padding).toBeGreaterThanOrEqual(0);
      expect(padding).toBeLessThan(Math.max(32, runs.at(-1)! / 4));
      for (const rows of runs) expect([32, 64, 128, 256, 512]).toContain(rows);
    }),
  );
});
