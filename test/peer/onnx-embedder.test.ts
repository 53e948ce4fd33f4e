import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOnnxEmbedder } from '../../dist/evaluate/onnx/index.js';
import { loadTokenizer } from '../../dist/data/tokenizer.js';
import { loadTask, measureFigure, runTask } from '../../dist/evaluate/tasks/index.js';
import { readFolderFiles } from '../../dist/models/folder-files.js';
import { openModel } from '../../dist/models/index.js';
import { openOnnxEngine, type OnnxEngine } from '../../dist/runtime/onnx/index.js';
import { goldenEncoder, tokenizer, vectors } from '../../src/evaluate/onnx/embedder.cases.ts';
import { maxDelta } from '../../src/models/graph/golden.cases.ts';
import { writeEncoderFolder } from '../model/encoder-folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-onnx-embedder-'));
let engine: OnnxEngine;

beforeAll(async () => {
  engine = await openOnnxEngine({ providers: ['cpu'] });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

test.each(vectors.encoders)(
  'vectors of 24 texts, batched and padded, are within 2e-6 of transformers 4.57.6: $label',
  async (encoder) => {
    const embedder = await openOnnxEmbedder(goldenEncoder(encoder), engine, { tokenizer });
    const found = await embedder.embed(vectors.texts);
    expect(found).toHaveLength(24);
    for (const [at, vector] of found.entries())
      expect(maxDelta(vector, encoder.vectors[at]!)).toBeLessThan(2e-6);
    expect(embedder.notes).toEqual([
      `${vectors.cut} of 24 texts are longer than 48 tokens: cut at the end.`,
    ]);
    await embedder.close();
  },
);

const jsonLines = (name: string, rows: readonly object[]) => ({
  name,
  bytes: new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n')),
});

test.each(['bert, mean pooling, as MiniLM', 'distilbert', 'mobilebert'])(
  'in a retrieval task every text finds itself first, so nDCG@10 is 1: %s',
  async (label) => {
    const place = join(folder, label.replaceAll(/\W+/g, '-'));
    writeEncoderFolder(place, label);
    const model = await openModel(place);
    const texts = ['Hello world', 'The lamp went by', "couldn't sleep", 'a bridge of 45 m', 'wind'];
    const corpus = texts.map((text, at) => ({ _id: `${at}`, title: '', text }));
    const queries = texts.map((text, at) => ({ text, relevant: [`${at}`] }));
    const name = 'tasks/retrieval.yaml';
    const task = await loadTask(
      { name, bytes: readFileSync(name) },
      {
        read: (file) => Promise.resolve(jsonLines(file, corpus)),
        data: [jsonLines('queries.jsonl', queries)],
      },
    );
    const words = loadTokenizer(await readFolderFiles(place));
    const embedder = await openOnnxEmbedder(model, engine, { tokenizer: words });
    const { measures } = await runTask(task, {
      tokenizer: words,
      prefixToken: 0,
      addPrefix: false,
      embed: (some, kind, signal) => embedder.embed(some, kind, signal),
    });
    const values = measures.map((measure) => [measure.key, measureFigure(measure).value]);
    expect(Object.fromEntries(values)).toMatchObject({
      'ndcg_at_10,none': 1,
      'recall_at_10,none': 1,
    });
    await embedder.close();
    await model.close();
  },
);
