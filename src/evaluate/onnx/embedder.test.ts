import { array, assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { meta } from '../../formats/gguf/metadata.ts';
import { ReferenceEngine } from '../../graph/reference/engine.ts';
import { maxDelta } from '../../models/graph/golden.cases.ts';
import type { Model } from '../../models/model.ts';
import type { ProgressEvent } from '../../util/progress.ts';
import { goldenEncoder, tokenizer, vectors } from './embedder.cases.ts';
import { openOnnxEmbedder, type OnnxEmbedderOptions } from './embedder.ts';
import { textBatches, textShapes } from './text-batches.ts';

const miniLM = goldenEncoder(vectors.encoders.find(({ label }) => label === 'MiniLM')!);

const open = (options: Partial<OnnxEmbedderOptions> = {}, model: Model = miniLM) =>
  openOnnxEmbedder(model, new ReferenceEngine(), { tokenizer, ...options });

/** Eight of 24. */
const some = <T>(all: readonly T[]) => all.filter((_, at) => at % 3 === 2);
const norm = (vector: Float32Array) => Math.hypot(...vector);

test.each(vectors.encoders)(
  'vectors of 8 texts, batched and padded, are within 2e-6 of transformers 4.57.6: $label',
  async (encoder) => {
    const embedder = await open({}, goldenEncoder(encoder));
    const found = await embedder.embed(some(vectors.texts));
    const expected = some(encoder.vectors);
    expect(found).toHaveLength(expected.length);
    for (const [at, vector] of found.entries()) {
      expect(maxDelta(vector, expected[at]!)).toBeLessThan(2e-6);
      expect(Math.abs(norm(vector) - 1)).toBeLessThan(1e-6);
    }
    expect(embedder.notes).toEqual(['2 of 8 texts are longer than 48 tokens: cut at the end.']);
  },
);

test('padding and neighbours change no number of a vector by more than 1e-6', async () => {
  const text = 'Hello world';
  const embedder = await open();
  const among = (await embedder.embed(['word '.repeat(60), text, 'a'])).at(1)!;
  const exact = await open({ contextLength: 11 });
  const [unpadded] = await exact.embed([text]);
  expect(exact.notes).toEqual([]);
  expect(maxDelta(among, [...unpadded!])).toBeLessThan(1e-6);
});

test('a longer text has the vector of its first tokens', async () => {
  const embedder = await open({ contextLength: 12 });
  const [short, long] = await embedder.embed(['Hello world.', 'Hello world. More of it.']);
  expect(long).toEqual(short);
  expect(embedder.notes).toEqual(['1 of 2 texts are longer than 12 tokens: cut at the end.']);
});

test('a prompt stands before texts of its kind', async () => {
  const embedder = await open({ prompts: { query: 'query: ' } });
  const [query] = await embedder.embed(['lamp'], 'query');
  const [document, spelled] = await embedder.embed(['lamp', 'query: lamp']);
  expect(maxDelta(query!, [...spelled!])).toBeLessThan(1e-6);
  expect(maxDelta(query!, [...document!])).toBeGreaterThan(1e-3);
});

test('weights are read once, with progress; a signal stops reading and embedding', async () => {
  const events: ProgressEvent[] = [];
  const embedder = await open({ onProgress: (event) => events.push(event) });
  expect(events.at(-1)!.done).toBe(events.at(-1)!.total);
  const signal = AbortSignal.abort();
  await expect(embedder.embed(['a'], 'query', signal)).rejects.toMatchObject({ code: 'cancelled' });
  await expect(open({ signal })).rejects.toMatchObject({ code: 'cancelled' });
  await embedder.close();
});

test.each([
  ['pooling_type', 3, 'unsupported', "GGUF's pooling type 3; Pith knows 1 (mean) and 2"],
  ['context_length', 0, 'usage', 'Texts of 0 tokens were asked for'],
])('a model whose %s is %i is refused', async (key, value, code, message) => {
  const metadata = new Map(miniLM.metadata).set(`bert.${key}`, meta.uint32(value));
  const opening = open({}, { ...miniLM, metadata });
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('a model that does not name the tokens around a text is refused', async () => {
  const metadata = new Map(miniLM.metadata);
  metadata.delete('tokenizer.ggml.cls_token_id');
  await expect(open({}, { ...miniLM, metadata })).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('names no cls or bos token'),
  });
});

test('a vector with a number that is none is refused', async () => {
  const encoder = vectors.encoders.find(({ label }) => label === 'bert')!;
  const embedder = await open({}, goldenEncoder({ ...encoder, spread: Infinity }));
  await expect(embedder.embed(['a'])).rejects.toMatchObject({ code: 'not-finite' });
});

test('an encoder of 512 tokens runs in five sizes of 512 tokens each', () => {
  expect(textShapes(512)).toEqual([
    { batch: 16, length: 32 },
    { batch: 8, length: 64 },
    { batch: 4, length: 128 },
    { batch: 2, length: 256 },
    { batch: 1, length: 512 },
  ]);
});

test('every text is in one run that holds it, and only the last run has room left', () => {
  const lengths = array(integer({ min: 2, max: 100 }), { maxLength: 80 });
  assert(
    property(lengths, (tokens) => {
      const batches = textBatches(textShapes(100), tokens);
      const places = batches.flatMap(({ texts }) => texts);
      expect(places.toSorted((a, b) => a - b)).toEqual([...tokens.keys()]);
      for (const { texts, shape } of batches)
        for (const at of texts) expect(tokens[at]).toBeLessThanOrEqual(shape.length);
      for (const { texts, shape } of batches.slice(0, -1)) expect(texts).toHaveLength(shape.batch);
    }),
  );
});
