import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOnnxScorer } from '../../dist/evaluate/onnx/index.js';
import type { TokenWindow } from '../../dist/evaluate/scorer.js';
import { openModel, type Model } from '../../dist/models/index.js';
import { openOnnxEngine, type OnnxEngine } from '../../dist/runtime/onnx/index.js';
import { startTranscoder } from '../../dist/runtime/kernel-workers.js';
import { golden as forward, goldenModel } from '../../src/models/graph/golden.cases.ts';
import { startLlamaCpp } from '../llama-cpp.ts';
import { writeSample } from '../write-sample.ts';

/** Windows of 128 tokens, by interop/llama-perplexity-sample.mjs. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/llama-perplexity-sample.json'), 'utf8'),
) as {
  readonly first: number;
  readonly windows: readonly (readonly number[])[];
  readonly types: Readonly<Record<string, readonly (readonly (number | null)[])[]>>;
};
const contextLength = golden.windows[0]!.length;
const windows: readonly TokenWindow[] = golden.windows.map((tokens) => ({
  tokens: Int32Array.from(tokens),
  first: golden.first,
}));

const folder = mkdtempSync(join(tmpdir(), 'pith-onnx-scorer-'));
let engine: OnnxEngine;

beforeAll(async () => {
  engine = await openOnnxEngine({ providers: ['cpu'] });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

async function withModel<Result>(path: string, use: (model: Model) => Promise<Result>) {
  const model = await openModel(path);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

function scoreAll(path: string, mode: 'whole' | 'byBlock'): Promise<number[][]> {
  return withModel(path, async (model) => {
    const transcoder = await startTranscoder(2);
    const scorer = await openOnnxScorer(model, engine, { contextLength, mode, transcoder });
    const scores = await Promise.all(windows.map((window) => scorer.score(window)));
    await scorer.close();
    await transcoder.close();
    return scores.map(({ logProbs }) => [...logProbs]);
  });
}

const furthest = (found: readonly number[], expected: readonly number[]) =>
  Math.max(...found.map((value, at) => Math.abs(value - expected[at]!)));

test('ln P of each token of an F32 file is within 1e-4 of what llama.cpp computes from all logits', async () => {
  const file = await writeSample(folder, 'F32');
  const llama = await startLlamaCpp();
  const model = await llama.open(file);
  const scores = await scoreAll(file, 'whole');
  for (const [at, tokens] of golden.windows.entries()) {
    const all = await model.logProbabilities(tokens);
    expect(furthest(scores[at]!, all.slice(golden.first - 1))).toBeLessThan(1e-4);
  }
  await model.close();
  await llama.close();
});

test('top and at are ln P of the same tokens, sorted, and best is the first of them', async () => {
  await withModel('models/sample', async (model) => {
    const scorer = await openOnnxScorer(model, engine, { contextLength });
    const [window] = windows as [TokenWindow];
    const { top, best } = await scorer.score(window, { top: 256 });
    const { at, logProbs } = await scorer.score(window, { at: top!.ids });
    expect(at).toEqual(top!.logProbs);
    for (const [row, target] of window.tokens.subarray(window.first).entries()) {
      const ids = top!.ids.subarray(row * 256, (row + 1) * 256);
      const values = top!.logProbs.subarray(row * 256, (row + 1) * 256);
      expect(ids[0]).toBe(best[row]);
      expect(values).toEqual(values.toSorted().toReversed());
      expect(new Set(ids).size).toBe(256);
      const place = ids.indexOf(target);
      expect(place < 0 ? logProbs[row]! < values[255]! : logProbs[row] === values[place]).toBe(
        true,
      );
    }
    await scorer.close();
  });
});

test('block by block gives the very same numbers as the whole', async () => {
  const file = await writeSample(folder, 'Q4_K_M');
  const [whole, byBlock] = [await scoreAll(file, 'whole'), await scoreAll(file, 'byBlock')];
  for (const at of windows.keys()) expect(furthest(byBlock[at]!, whole[at]!)).toBeLessThan(1e-5);
});

const decoders = forward.decoders.filter(({ label }) => /moe|mixtral/.test(label));

test.each(
  decoders.flatMap((decoder) => (['whole', 'byBlock'] as const).map((mode) => ({ decoder, mode }))),
)(
  'experts on their own tokens give ln P within 1e-4 of transformers: $decoder.label, $mode',
  async ({ decoder, mode }) => {
    const scorer = await openOnnxScorer(goldenModel(decoder), engine, { contextLength: 16, mode });
    const width = decoder.logits.length / forward.rows.length;
    // The last token is scored by none of the logits: it lets the one before it be.
    const tokens = Int32Array.of(...forward.tokens, 0);
    const vocabulary = Int32Array.from(
      { length: width * forward.tokens.length },
      (_, at) => at % width,
    );
    const { at: found } = await scorer.score({ tokens, first: 1 }, { at: vocabulary });
    for (const [place, row] of forward.rows.entries()) {
      const logits = decoder.logits.slice(place * width, (place + 1) * width);
      const total = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
      const logProbs = [...found!.subarray(row * width, (row + 1) * width)];
      expect(
        furthest(
          logProbs,
          logits.map((value) => value - total),
        ),
      ).toBeLessThan(1e-4);
    }
    await scorer.close();
  },
);

// llama.cpp multiplies by activations in the weights' own precision; Pith by f32 ones.
test.each([
  ['F16', 4e-3],
  ['Q4_K_M', 2e-2],
])('mean ln P of a %s file is within %f of llama-perplexity', async (type, tolerance) => {
  const scores = (await scoreAll(await writeSample(folder, type), 'whole')).flat();
  const differences = golden.types[type]!.flat().flatMap((expected, at) =>
    expected === null ? [] : [scores[at]! - expected],
  );
  expect(differences.length).toBeGreaterThan(120);
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  expect(Math.abs(mean)).toBeLessThan(tolerance);
});

test('a tensor is replaced in less time than a window takes, and counts', async () => {
  await withModel('models/sample', async (model) => {
    const scorer = await openOnnxScorer(model, engine, { contextLength });
    const [window] = windows as [TokenWindow];
    const before = await scorer.score(window);
    const name = 'blk.0.ffn_down.weight';
    const size = model.tensors.get(name)!.shape.reduce((product, length) => product * length, 1);
    const start = performance.now();
    await scorer.replaceWeights(name, new Float32Array(size));
    const replacing = performance.now() - start;
    const middle = performance.now();
    const without = await scorer.score(window);
    expect(replacing).toBeLessThan(performance.now() - middle);
    expect(without.logProbs).not.toEqual(before.logProbs);
    await scorer.replaceWeights(name);
    expect(await scorer.score(window)).toEqual(before);
    await scorer.close();
  });
});
