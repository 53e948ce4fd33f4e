import { expect, test } from 'vitest';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { decoderGraph } from '../../models/graph/decoder.ts';
import { golden, goldenModel, ids, weightsFor } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { formatBytes } from '../../util/format-units.ts';
import type { ProgressEvent } from '../../util/progress.ts';
import { openOnnxScorer, type OnnxScorerOptions } from './open.ts';

const llama = goldenModel(golden.decoders.find(({ config }) => config.model_type === 'llama')!);
const vocabulary = llama.tensors.get('token_embd.weight')!.shape[0]!;
const contextLength = 64;

const open = (options: OnnxScorerOptions = {}, model: Model = llama) =>
  openOnnxScorer(model, new ReferenceEngine(), { contextLength, ...options });

const text = (length: number, step = 7) =>
  Int32Array.from({ length }, (_, at) => (at * step + 1) % vocabulary);

/** Log-probabilities `[T, V]` of an unpadded run of the whole graph, by hand. */
async function logProbs(tokens: Int32Array, model = llama): Promise<number[][]> {
  const graph = decoderGraph(model, { batch: 1, length: tokens.length, logits: 'all' });
  const program = await new ReferenceEngine().compile(graph);
  const weights = await weightsFor(model, graph);
  const { outputs } = await program.run({ ...weights, tokens: ids([...tokens]) });
  const logits = outputs['logits'] as Float32Array;
  return Array.from(tokens, (_, row) => {
    const values = [...logits.subarray(row * vocabulary, (row + 1) * vocabulary)];
    const most = Math.max(...values);
    const total = values.reduce((sum, value) => sum + Math.exp(value - most), 0);
    return values.map((value) => value - most - Math.log(total));
  });
}

const close = (values: Iterable<number>) => Array.from(values, (value) => expect.closeTo(value, 4));

/** The model with one weight of a tensor changed. */
function withWeight(name: string, value: number): Model {
  const tensor = llama.tensors.get(name)!;
  const read: Tensor['read'] = async (first, count) => {
    const bytes = (await tensor.read(first, count)).slice();
    if (first === 0) new Float32Array(bytes.buffer)[0] = value;
    return bytes;
  };
  return { ...llama, tensors: new Map(llama.tensors).set(name, { ...tensor, read }) };
}

test.each(['whole', 'byBlock'] as const)(
  'windows of any length, batched and padded, score as an unpadded run of their own: %s',
  async (mode) => {
    const scorer = await open({ mode });
    const windows = [5, 16, 2, 24].map((length, at) => text(length, at + 3));
    const scored = await Promise.all(windows.map((tokens) => scorer.score({ tokens, first: 1 })));
    for (const [at, tokens] of windows.entries()) {
      const expected = await logProbs(tokens);
      const rows = expected.slice(0, -1);
      expect([...scored[at]!.logProbs]).toEqual(close(rows.map((row, i) => row[tokens[i + 1]!]!)));
      expect([...scored[at]!.best]).toEqual(rows.map((row) => row.indexOf(Math.max(...row))));
    }
    await scorer.close();
  },
);

test.each(['whole', 'byBlock'] as const)(
  'a model whose output matrix is its own scores by that matrix: %s',
  async (mode) => {
    const embedding = llama.tensors.get('token_embd.weight')!;
    // Rows in reverse: the likeliest tokens are others than with the embedding.
    const read: Tensor['read'] = async (first, count) => {
      const rowBytes = 4 * embedding.shape[1]!;
      const bytes = await embedding.read(vocabulary - first - count, count);
      const rows = Array.from({ length: count }, (_, row) =>
        bytes.slice(row * rowBytes, (row + 1) * rowBytes),
      );
      return Uint8Array.from(rows.toReversed().flatMap((row) => [...row]));
    };
    const own = { ...embedding, name: 'output.weight', read };
    const untied = { ...llama, tensors: new Map(llama.tensors).set(own.name, own) };
    const scorer = await open({ mode }, untied);
    const tokens = text(12);
    const { logProbs: scored } = await scorer.score({ tokens, first: 1 });
    const rows = (await logProbs(tokens, untied)).slice(0, -1);
    expect([...scored]).toEqual(close(rows.map((row, at) => row[tokens[at + 1]!]!)));
    await scorer.close();
  },
);

test('only tokens from `first` on are scored, and top and at are of their positions', async () => {
  const scorer = await open();
  const tokens = text(12);
  const first = 9;
  const at = Int32Array.of(0, 5, 1, 5, 2, 5);
  const scores = await scorer.score({ tokens, first }, { top: 3, at });
  const rows = (await logProbs(tokens)).slice(first - 1, -1);
  expect([...scores.logProbs]).toEqual(close(rows.map((row, i) => row[tokens[first + i]!]!)));
  expect([...scores.at!]).toEqual(close(rows.flatMap((row, i) => [row[i]!, row[5]!])));
  const sorted = rows.map((row) => row.toSorted((a, b) => b - a).slice(0, 3));
  expect([...scores.top!.logProbs]).toEqual(close(sorted.flat()));
  expect([...scores.top!.ids]).toEqual(
    rows.flatMap((row, i) => sorted[i]!.map((x) => row.indexOf(x))),
  );
});

test('windows that ask for different numbers share a run and get what they asked for', async () => {
  const scorer = await open();
  const tokens = text(10);
  const [plain, top, at] = await Promise.all([
    scorer.score({ tokens, first: 1 }),
    scorer.score({ tokens, first: 8 }, { top: 2 }),
    scorer.score({ tokens, first: 8 }, { at: Int32Array.of(3, 4) }),
  ]);
  expect([plain.top, plain.at, top.at, at.top]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(top.top!.ids).toHaveLength(4);
  expect([...top.logProbs]).toEqual(close(plain.logProbs.subarray(7)));
  const rows = await logProbs(tokens);
  expect([...at.at!]).toEqual(close([rows[7]![3]!, rows[8]![4]!]));
});

test.each(['whole', 'byBlock'] as const)(
  'replaced weights count from then on, and the model has its own back: %s',
  async (mode) => {
    const scorer = await open({ mode });
    const window = { tokens: text(12), first: 1 };
    const before = scorer.score(window);
    for (const name of ['blk.0.ffn_down.weight', 'token_embd.weight']) {
      const changed = withWeight(name, 3);
      const tensor = changed.tensors.get(name)!;
      const rows = tensor.shape.slice(0, -1).reduce((product, size) => product * size, 1);
      const bytes = await tensor.read(0, rows);
      await scorer.replaceWeights(name, new Float32Array(bytes.slice().buffer));
      const expected = await logProbs(window.tokens, changed);
      const targets = expected.slice(0, -1).map((row, i) => row[window.tokens[i + 1]!]!);
      expect([...(await scorer.score(window)).logProbs]).toEqual(close(targets));
      await scorer.replaceWeights(name);
    }
    expect(await scorer.score(window)).toEqual(await before);
  },
);

test.each([
  ['blk.1.ffn_up.weight', 'block 1 (blk.1) makes the first'],
  ['blk.0.attn_norm.weight', 'block 0 (blk.0) makes the first'],
  ['output_norm.weight', 'the output matrix or the norm before it makes the first'],
])('a NaN in %s: %s', async (name, place) => {
  for (const mode of ['whole', 'byBlock'] as const) {
    const scorer = await open({ mode }, withWeight(name, NaN));
    const scoring = scorer.score({ tokens: text(9), first: 3 });
    await expect(scoring).rejects.toMatchObject({
      code: 'not-finite',
      message: `The logits for token 3 of a window are not numbers; ${place}.`,
    });
  }
});

test('the mode follows the memory, and the reason says the numbers', async () => {
  const parameters = [...llama.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const events: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent) => events.push(event);
  const roomy = await open({ availableBytes: 8 * parameters, onProgress });
  expect([roomy.mode, roomy.windowsAtOnce]).toEqual(['whole', 4]);
  expect(events.at(-1)).toMatchObject({ done: 4 * parameters, total: 4 * parameters });
  const tight = await open({ availableBytes: 4 * parameters });
  expect(tight.mode).toBe('byBlock');
  expect(tight.reason).toBe(
    `${formatBytes(4 * parameters)} of weights as f32 do not fit ` +
      `${formatBytes(2.8 * parameters)}, 70 % of the memory there is`,
  );
  expect(tight.windowsAtOnce).toBeGreaterThan(4);
});

test('a window that is cancelled is rejected at once; others go on', async () => {
  const scorer = await open();
  const controller = new AbortController();
  const window = { tokens: text(64), first: 1 };
  const stopped = scorer.score(window, { signal: controller.signal });
  const other = scorer.score(window);
  controller.abort();
  await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
  expect((await other).logProbs).toHaveLength(63);
});

test('a context longer than the model has and weights of another size are refused', async () => {
  await expect(open({ contextLength: 1e6 })).rejects.toMatchObject({ code: 'usage' });
  const scorer = await open();
  const three = new Float32Array(3);
  await expect(scorer.replaceWeights('output_norm.weight', three)).rejects.toMatchObject({
    code: 'shape',
    message: expect.stringMatching(
      /^3 weights were given for output_norm.weight, which has \d+\.$/,
    ),
  });
  await expect(scorer.replaceWeights('nope', three)).rejects.toMatchObject({ code: 'not-found' });
  expect((await scorer.score({ tokens: text(4), first: 1 })).logProbs).toHaveLength(3);
});
