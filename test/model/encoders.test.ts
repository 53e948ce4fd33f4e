import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama, LlamaLogLevel, type Llama, type Token } from 'node-llama-cpp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareQuantization, quantize } from '../../dist/recipes/quantize.js';
import { writeEncoderFolder } from './encoder-folders.ts';

/** Mean of the last hidden states, by interop/encoder-embeddings.py. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/encoder-embeddings.json'), 'utf8'),
) as { tokens: number[]; means: Record<string, number[]> };

/** llama.cpp looks GELU up in a table of 16-bit floats; the largest difference here is 3.3e-4. */
const tolerance = 1e-3;

const folder = mkdtempSync(join(tmpdir(), 'pith-encoders-'));
let llama: Llama;
beforeAll(async () => {
  llama = await getLlama({
    gpu: false,
    build: 'never',
    maxThreads: 1,
    logLevel: LlamaLogLevel.disabled,
  });
});
afterAll(async () => {
  await llama.dispose();
  rmSync(folder, { recursive: true });
});

test.each(Object.entries(golden.means))(
  'llama.cpp pools the F32 file of %s to the mean that transformers gives, [CLS] and [SEP] not doubled',
  async (label, mean) => {
    const source = join(folder, label.replaceAll(/\W+/g, '-'));
    writeEncoderFolder(source, label);
    const output = `${source}.gguf`;
    const prepared = await prepareQuantization({ model: source, type: 'F32' });
    await quantize(prepared, { output, threads: 1 });
    await prepared.model.close();
    const model = await llama.loadModel({ modelPath: output });
    const context = await model.createEmbeddingContext({ contextSize: 32, batchSize: 32 });
    const { vector } = await context.getEmbeddingFor(golden.tokens as Token[]);
    await model.dispose();
    const differences = mean.map((value, at) => Math.abs(value - vector[at]!));
    expect(vector).toHaveLength(mean.length);
    expect(Math.max(...differences)).toBeLessThan(tolerance);
  },
);
