import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareQuantization, quantize } from '../../dist/recipes/quantize.js';
import type { Graph } from '../../src/graph/index.ts';
import {
  blockGraph,
  blockKinds,
  decoderGraph,
  embeddingGraph,
  headGraph,
  tensorOfInput,
} from '../../src/models/graph/decoder.ts';
import { weightsFor } from '../../src/models/graph/golden.cases.ts';
import type { Model } from '../../src/models/model.ts';
import { openModel } from '../../src/models/open.ts';
import { startLlamaCpp } from '../llama-cpp.ts';
import { runOnnx } from '../peer/onnx-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-forward-'));
const story = readFileSync(join(import.meta.dirname, '../peer/story.txt'), 'utf8');
let model: Model;
let tokens: number[];
/** llama.cpp's logits `[V]` of every position. */
let expected: Float32Array[];

beforeAll(async () => {
  const output = join(folder, 'sample.gguf');
  const prepared = await prepareQuantization({ model: 'sample', type: 'F32' });
  await quantize(prepared, { output, threads: 1 });
  await prepared.model.close();
  model = await openModel(output);
  const llama = await startLlamaCpp();
  const opened = await llama.open(output);
  tokens = opened.tokenize(story).slice(0, 256);
  expected = await opened.logits(tokens, 0);
  await opened.close();
  await llama.close();
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

async function run(
  graph: Graph,
  inputs: Readonly<Record<string, Float64Array>>,
  block = 0,
): Promise<Record<string, Float64Array>> {
  const weights = await weightsFor(model, graph, (input) => tensorOfInput(input, block));
  const numbers = Object.entries(weights).map(
    ([name, data]) => [name, Float64Array.from(data, Number)] as const,
  );
  const results = await runOnnx(graph, { ...Object.fromEntries(numbers), ...inputs });
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

function rowsOf(logits: Float64Array): Float64Array[] {
  const size = expected[0]!.length;
  return expected.map((_, row) => logits.slice(row * size, (row + 1) * size));
}

function largestDifference(rows: readonly Float64Array[]): number {
  return rows.reduce(
    (largest, row, at) =>
      row.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[at]![i]!)), largest),
    0,
  );
}

/** exp of the mean −ln p of each token given those before it. */
function perplexity(rows: readonly ArrayLike<number>[]): number {
  const losses = tokens.slice(1).map((token, at) => {
    const row = Array.from(rows[at]!);
    const top = Math.max(...row);
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - row[token]!;
  });
  return Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / losses.length);
}

test('256 tokens of a story, whole: logits within 2e-4 of llama.cpp, perplexity within 1e-5 of its own', async () => {
  const sizes = { batch: 1, length: tokens.length };
  const graph = decoderGraph(model, { ...sizes, logits: 'all' });
  const { logits } = await run(graph, { tokens: Float64Array.from(tokens) });
  const rows = rowsOf(logits!);
  expect(largestDifference(rows)).toBeLessThan(2e-4);
  expect(perplexity(rows) / perplexity(expected)).toBeCloseTo(1, 5);
  expect(perplexity(rows)).toBeGreaterThan(2);
  expect(perplexity(rows)).toBeLessThan(30);
});

test('block by block, one graph for all blocks, the same', async () => {
  const sizes = { batch: 1, length: tokens.length };
  const kinds = blockKinds(model);
  expect(new Set(kinds)).toEqual(new Set([0]));
  const embedding = embeddingGraph(model, sizes);
  const block = blockGraph(model, 0, sizes);
  let { hidden } = await run(embedding, { tokens: Float64Array.from(tokens) });
  for (const index of kinds.keys()) ({ hidden } = await run(block, { input: hidden! }, index));
  const { logits } = await run(headGraph(model, { ...sizes, logits: 'all' }), { input: hidden! });
  expect(largestDifference(rowsOf(logits!))).toBeLessThan(2e-4);
});
