import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLlamaScorer } from '../../dist/evaluate/llama-scorer.js';
import type { TokenScorer, TokenWindow } from '../../dist/evaluate/scorer.js';
import { openModel } from '../../dist/models/open.js';
import { openLlamaLogits } from '../../dist/runtime/llama-logits.js';
import { writeSample } from '../write-sample.ts';

/** By interop/llama-perplexity-sample.mjs, which names its version. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/llama-perplexity-sample.json'), 'utf8'),
) as {
  readonly tolerance: number;
  readonly first: number;
  readonly windows: readonly (readonly number[])[];
  readonly types: Readonly<Record<string, readonly (readonly (number | null)[])[]>>;
};

const folder = mkdtempSync(join(tmpdir(), 'pith-llama-scorer-'));
const contextLength = golden.windows[0]!.length;
const windows: readonly TokenWindow[] = golden.windows.map((tokens) => ({
  tokens: Int32Array.from(tokens),
  first: golden.first,
}));

let f16: string;
let scorer: TokenScorer;

beforeAll(async () => {
  f16 = await writeSample(folder, 'F16');
  scorer = await openLlamaScorer(f16, { contextLength });
});
afterAll(async () => {
  await scorer.close();
  rmSync(folder, { recursive: true });
});

async function scoreAll(path: string) {
  const opened = await openLlamaScorer(path, { contextLength });
  try {
    return await Promise.all(windows.map((window) => opened.score(window)));
  } finally {
    await opened.close();
  }
}

// Other processors have other kernels, which round activations otherwise.
test.runIf(process.arch === 'x64').each(Object.keys(golden.types))(
  "ln P of each token of a %s file is llama-perplexity's, within its 16 bits (2.4e-4)",
  async (type) => {
    const scores = await scoreAll(type === 'F16' ? f16 : await writeSample(folder, type));
    const differences = golden.types[type]!.flatMap((row, window) =>
      row.flatMap((expected, at) =>
        expected === null ? [] : [Math.abs(scores[window]!.logProbs[at]! - expected)],
      ),
    );
    expect(differences.length).toBeGreaterThan(120);
    expect(Math.max(...differences)).toBeLessThan(golden.tolerance);
  },
);

test('target, likeliest, top 8 and asked-for tokens agree with the softmax of all logits within 2e-5 nats', async () => {
  const { tokens, first } = windows[0]!;
  const at = Int32Array.from({ length: 3 * (tokens.length - first) }, (_, i) => (i * 977) % 4096);
  const scores = await scorer.score(windows[0]!, { top: 8, at });
  const model = await openLlamaLogits(f16, { contextLength });
  const all = Array.from({ length: model.vocabulary }, (_, token) => token);
  const rows = [0, 1, 30, tokens.length - first - 1];
  const requests = all.slice(first, tokens.length).map((_, row) => ({
    tokens: rows.includes(row) ? all : [],
    top: 0,
  }));
  const predictions = await model.predict(tokens.subarray(0, -1), requests);
  await model.close();
  for (const row of rows) {
    const { logits } = predictions[row]!;
    const total = Math.log([...logits.values()].reduce((sum, logit) => sum + Math.exp(logit), 0));
    const sorted = [...logits].sort((a, b) => b[1] - a[1]).slice(0, 8);
    const close = (actual: number | undefined, token: number) =>
      expect(Math.abs(actual! - (logits.get(token)! - total))).toBeLessThan(2e-5);
    expect(scores.best[row]).toBe(sorted[0]![0]);
    expect([...scores.top!.ids.subarray(8 * row, 8 * row + 8)]).toEqual(sorted.map(([id]) => id));
    close(scores.logProbs[row], tokens[first + row]!);
    sorted.forEach(([id], rank) => close(scores.top!.logProbs[8 * row + rank], id));
    for (const i of [0, 1, 2]) close(scores.at![3 * row + i], at[3 * row + i]!);
  }
});

test('a window scores the same bits alone, beside others, and a second time', async () => {
  const together = await Promise.all(windows.map((window) => scorer.score(window)));
  for (const [place, window] of windows.entries()) {
    expect((await scorer.score(window)).logProbs).toEqual(together[place]!.logProbs);
  }
});

function score(tokens: number[], first: number, at?: Int32Array) {
  return scorer.score({ tokens: Int32Array.from(tokens), first }, at && { at });
}

test('what no engine can score is refused with the numbers', async () => {
  await expect(score([5], 1)).rejects.toThrow(/window of 1 tokens cannot be scored from token 1/);
  await expect(score([5, 4096], 1)).rejects.toThrow(/Token 4096 at place 1.*vocabulary of 4096/);
  await expect(score([5, 6], 1, Int32Array.of(-1))).rejects.toThrow(/Token -1 at place 0/);
  await expect(score([5, 6, 7], 1, Int32Array.of(1))).rejects.toMatchObject({ code: 'shape' });
  await expect(score(Array(contextLength + 1).fill(5), 1)).rejects.toThrow(
    /longer than the context of 128/,
  );
});

test('weights that are not numbers make no scores, but an error', async () => {
  const path = join(folder, 'nan.gguf');
  const model = await openModel(f16);
  const row = await model.tensors.get('output_norm.weight')!.read(0, 1);
  await model.close();
  const bytes = readFileSync(f16);
  bytes.writeFloatLE(NaN, bytes.indexOf(row));
  writeFileSync(path, bytes);
  const broken = await openLlamaScorer(path, { contextLength });
  await expect(broken.score(windows[0]!)).rejects.toMatchObject({ code: 'not-finite' });
  await broken.close();
});

test('a signal that is aborted ends the scoring with its reason', async () => {
  const reason = new Error('enough');
  const scored = scorer.score(windows[0]!, { signal: AbortSignal.abort(reason) });
  await expect(scored).rejects.toBe(reason);
});
