import { expect, test } from 'vitest';
import fisher from '../../../test/golden/fisher.json' with { type: 'json' };
import { WeightStore } from '../../evaluate/onnx/weight-store.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import { scalarKernels } from '../../kernels/scalar.ts';
import { golden, goldenModel } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { seededRandom } from '../../util/random.ts';
import { collectEvidence } from './collect.ts';
import { MemoryStore, type CollectionLayout } from './collection-store.ts';
import type { CollectOptions } from './collection.ts';

const window = Int32Array.from(golden.tokens);

function modelOf(label: string): Model {
  return goldenModel(golden.decoders.find((one) => one.label === label)!);
}

function collect(
  model: Model,
  windows: readonly Int32Array[],
  options?: CollectOptions,
  isResident = true,
) {
  const engine = new ReferenceEngine();
  const transcoder = inlineTranscoder(scalarKernels);
  const weights = new WeightStore(model, engine, transcoder, isResident);
  return collectEvidence({ model, engine, weights }, windows, options);
}

/** The largest difference, as a share of the largest value. */
function distance(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...expected);
  return (
    expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0) / largest
  );
}

/** Blocks on the diagonal of a symmetric matrix whose upper triangle is given row by row. */
function blocksOf(upper: readonly number[], { columns, size }: { columns: number; size: number }) {
  const rows = Array.from({ length: columns }, (_, row) => (row * (2 * columns - row - 1)) / 2);
  const cell = (i: number, j: number) => upper[rows[Math.min(i, j)]! + Math.max(i, j)]!;
  const first = (at: number) => size * Math.floor(at / size ** 2);
  return Array.from({ length: columns * size }, (_, at) =>
    cell(first(at) + (Math.floor(at / size) % size), first(at) + (at % size)),
  );
}

test('the golden labels are drawn with the numbers that Pith draws with', () => {
  const random = seededRandom(1, 0);
  expect(fisher.uniform.map(() => Math.fround(random.uniform()))).toEqual(
    fisher.uniform.map(Math.fround),
  );
});

test.each(fisher.models)(
  `$label: second moments, peaks, Hessians and Gram matrices are those of ${fisher.source}, within 1e-4`,
  async ({ label, tensors, hessians, embedding, weighted, grams }) => {
    const found = await collect(modelOf(label), [window], { hessianBlock: 4, outputBlock: 4 });
    expect([...found.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, expected] of Object.entries(tensors)) {
      const { inputs, outputs, peaks } = found.tensors.get(name)!;
      expect({
        name,
        counts: [...inputs.counts],
        close: [
          distance(peaks!.of32.sums, expected.peaks[0]!) < 1e-4,
          distance(peaks!.of256.sums, expected.peaks[1]!) < 1e-4,
          distance(inputs.sums, expected.inputs) < 1e-4,
          distance(outputs!.sums, expected.outputs) < 1e-4,
        ],
      }).toEqual({ name, counts: expected.counts, close: [true, true, true, true] });
    }
    expect(distance(found.embedding!.gradients.sums, embedding)).toBeLessThan(1e-4);
    for (const [name, blocks] of Object.entries(weighted)) {
      const { sums, tokens } = (await found.hessians!.hessianOf(name))!;
      const means = sums.map((sum) => sum / tokens);
      expect({ name, close: distance(means, blocks) < 1e-4 }).toEqual({ name, close: true });
    }
    for (const [name, blocks] of Object.entries(grams)) {
      const { sums } = (await found.grams!.gramOf(name))!;
      expect({ name, close: distance(sums, blocks) < 1e-4 }).toEqual({ name, close: true });
    }
    const plain = await collect(modelOf(label), [window], { gradients: false, hessianBlock: 4 });
    for (const [name, upper] of Object.entries(hessians)) {
      const { sums, columns } = (await plain.hessians!.hessianOf(name))!;
      expect(distance(sums, blocksOf(upper, { columns, size: 4 }))).toBeLessThan(1e-4);
    }
  },
);

test('windows add up, however many are passed at once', async () => {
  const model = modelOf('qwen2');
  const windows = [window, window.toReversed(), window];
  const together = await collect(model, windows, { gradients: false });
  const apart = await collect(model, windows, { gradients: false, activationBytes: 1 });
  expect(apart).toEqual(together);
  const [first, second] = await Promise.all(
    [window, window.toReversed()].map((one) => collect(model, [one], { gradients: false })),
  );
  const name = 'blk.1.ffn_down.weight';
  const sums = (of: typeof together) => of.tensors.get(name)!.inputs.sums;
  expect(
    distance(
      sums(together),
      Array.from(sums(first!), (sum, at) => 2 * sum + sums(second!)[at]!),
    ),
  ).toBeLessThan(1e-12);
  expect(together.tokens).toBe(39);
});

test('weights that are read block by block for every pass give the very same evidence', async () => {
  const model = modelOf('qwen3_moe');
  const windows = [window, window.toReversed()];
  const whole = await collect(model, windows);
  expect(await collect(model, windows, { activationBytes: 1 }, false)).toEqual(whole);
});

test('Hessians have the second moments on their diagonals; blocks are cut from the full ones; windows add up', async () => {
  const model = modelOf('qwen3_moe');
  const windows = [window, window.toReversed(), window, window.toReversed(), window];
  const measure = (hessianBlock: number) =>
    collect(model, windows, { gradients: false, hessianBlock, activationBytes: 1 });
  const [full, cut] = [await measure(Infinity), await measure(20)];
  for (const name of ['blk.1.attn_q.weight', 'blk.1.attn_output.weight', 'output.weight']) {
    const { inputs } = full.tensors.get(name)!;
    const { size } = inputs;
    const whole = (await full.hessians!.hessianOf(name))!;
    expect(whole).toMatchObject({ columns: size, blockSize: size, tokens: 65 });
    const diagonal = Array.from({ length: size }, (_, at) => whole.sums[at * size + at]!);
    expect(distance(diagonal, [...inputs.sums])).toBeLessThan(1e-6);
    const blocks = (await cut.hessians!.hessianOf(name))!;
    expect(blocks).toMatchObject({ columns: size, blockSize: 20, tokens: 65 });
    expect(blocks.sums).toHaveLength(Math.ceil(size / 20) * 400);
    // Row 1, column 3 of the second block, and of the last.
    expect(blocks.sums[400 + 1 * 20 + 3]).toBeCloseTo(whole.sums[21 * size + 23]!, 6);
    const last = Math.ceil(size / 20) - 1;
    const cell = whole.sums[(20 * last + 1) * size + 20 * last + 3]!;
    expect(blocks.sums[400 * last + 1 * 20 + 3]).toBeCloseTo(cell, 6);
    expect(blocks.sums.at(-1)).toBe(size % 20 === 0 ? whole.sums.at(-1) : 0);
  }
  const { keptAs } = full.hessians!;
  expect(keptAs.get('blk.1.attn_k.weight')).toBe('blk.1.attn_q.weight');
  expect(keptAs.get('blk.1.ffn_up_exps.weight')).toBeUndefined();
  expect(await full.hessians!.hessianOf('blk.1.ffn_up_exps.weight')).toBeUndefined();
});

test('Hessians do not depend on how windows are cut into passes but for rounding to f32', async () => {
  const model = modelOf('qwen2');
  const windows = [window, window.toReversed(), window];
  const options = { gradients: false, hessianBlock: 20 };
  const together = await collect(model, windows, options);
  const apart = await collect(model, windows, { ...options, activationBytes: 1 });
  for (const name of ['blk.0.attn_q.weight', 'token_embd.weight']) {
    const found = (await apart.hessians!.hessianOf(name))!;
    const expected = (await together.hessians!.hessianOf(name))!;
    expect(distance(found.sums, [...expected.sums])).toBeLessThan(1e-6);
  }
});

/** Notes what is put, and begins after some windows. */
class NotingStore extends MemoryStore {
  readonly names: string[] = [];
  layout: CollectionLayout | undefined;
  readonly #done: number;

  constructor(done = 0) {
    super();
    this.#done = done;
  }

  override open(layout?: CollectionLayout): Promise<number> {
    this.layout = layout;
    return Promise.resolve(this.#done);
  }

  override put(name: string, sums: Float32Array<ArrayBuffer>): Promise<void> {
    this.names.push(name);
    return super.put(name, sums);
  }
}

test.each(['qwen2', 'qwen3_moe'])(
  'of %s, weighted Hessians and Gram matrices are put as they were laid out, and add up over windows and passes',
  async (label) => {
    const model = modelOf(label);
    const windows = [window, window.toReversed()];
    const options = { hessianBlock: 13, outputBlock: 20, activationBytes: 1 };
    const both = new NotingStore();
    const found = await collect(model, windows, { ...options, store: both });
    const layout = both.layout!.hessians.map(({ name }) => name);
    expect(both.names).toEqual([...layout, ...layout]);
    expect(layout).toContain('blk.1.attn_k.weight.gram');
    const [first, second] = [new NotingStore(), new NotingStore(1)];
    await collect(model, windows.slice(0, 1), { ...options, store: first });
    await collect(model, windows, { ...options, store: second });
    for (const { name, length } of both.layout!.hessians) {
      const [sums, a, b] = await Promise.all([both, first, second].map((of) => of.get(name)));
      expect(sums).toHaveLength(length);
      expect(
        distance(
          sums!,
          Array.from(a!, (one, at) => one + b![at]!),
        ),
      ).toBeLessThan(1e-6);
    }
    // Σ s a aᵀ over Σ s, the mean of the rows' squared gradients.
    const name = 'blk.1.attn_output.weight';
    const { sums, counts, size } = found.tensors.get(name)!.outputs!;
    const weight = sums.reduce((total, sum) => total + sum / size, 0);
    const raw = (await both.get(name))!;
    expect(
      distance(
        (await found.hessians!.hessianOf(name))!.sums,
        Array.from(raw, (sum) => (sum * counts[0]!) / weight),
      ),
    ).toBeLessThan(1e-6);
    const gram = (await found.grams!.gramOf(name))!;
    const { rows, blockSize } = gram;
    expect({ rows, blockSize }).toEqual({ rows: 32, blockSize: 16 });
    const diagonal = Array.from({ length: rows }, (_, at) => gram.sums[at * 16 + (at % 16)]!);
    expect(distance(diagonal, [...sums])).toBeLessThan(1e-6);
    expect(await found.grams!.gramOf('output.weight')).toBeUndefined();
  },
);

test('a weight that is infinite is told by the first matrix that what it makes enters', async () => {
  const model = modelOf('qwen2');
  const name = 'blk.0.ffn_down.weight';
  const tensor = model.tensors.get(name)!;
  const read: Tensor['read'] = async (first, count) => {
    const bytes = (await tensor.read(first, count)).slice();
    new Float32Array(bytes.buffer)[0] = Infinity;
    return bytes;
  };
  const broken = { ...model, tensors: new Map(model.tensors).set(name, { ...tensor, read }) };
  await expect(collect(broken, [window])).rejects.toMatchObject({
    code: 'not-finite',
    message: expect.stringContaining('the input of blk.1.attn_q.weight'),
  });
});
