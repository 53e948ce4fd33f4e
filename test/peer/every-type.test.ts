import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileTypeNames, fileTypes } from '../../dist/compress/quantize/file-types.js';
import { encodableTypes, type EncodableType } from '../../dist/kernels/kernels.js';
import { prepareQuantization, quantize } from '../../dist/recipes/quantize.js';
import { startLlamaCpp, type LlamaCpp } from '../llama-cpp.ts';
import { tensorLayout, type TensorLayout } from './tensor-layout.ts';

/** By interop/llama-quantize-sample.mjs, which names its version. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/llama-quantize-sample.json'), 'utf8'),
) as Record<'mixes' | 'pure', Record<string, TensorLayout>>;

const story = readFileSync(join(import.meta.dirname, 'story.txt'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'pith-every-type-'));

/**
 * Nats a token by which the story may be likelier or less likely than in F16, by the base type; each
 * about twice the largest that was measured on the model in the box. A model so small loses more than
 * large ones, and none of its weights were trained for the ternary types.
 */
const bands: readonly (readonly [nats: number, types: readonly EncodableType[]])[] = [
  [1e-4, ['F32', 'F16']],
  [0.003, ['BF16', 'Q8_0']],
  [0.005, ['Q6_K']],
  [0.015, ['Q5_K', 'Q5_1', 'Q5_0']],
  [0.05, ['Q4_K', 'Q4_1', 'Q4_0', 'IQ4_NL', 'IQ4_XS']],
  [0.08, ['MXFP4', 'Q3_K']],
  [0.13, ['IQ3_S']],
  [0.2, ['IQ3_XXS']],
  [0.35, ['Q2_K', 'IQ2_S']],
  [0.4, ['IQ2_XS']],
  [0.6, ['IQ2_XXS']],
  [2.5, ['TQ2_0', 'TQ1_0', 'Q2_0']],
  [8, ['Q1_0']],
];
const bandOf = (type: EncodableType) => bands.find(([, types]) => types.includes(type))![0];

let llamaCpp: LlamaCpp;
let tokens: readonly number[];
let f16: number;

beforeAll(async () => {
  llamaCpp = await startLlamaCpp();
  const model = await llamaCpp.open(await write('F16', false));
  tokens = model.tokenize(story).slice(0, 256);
  f16 = mean(await model.logProbabilities(tokens));
  await model.close();
});
afterAll(async () => {
  await llamaCpp.close();
  rmSync(folder, { recursive: true });
});

async function write(type: string, pure: boolean): Promise<string> {
  const output = join(folder, 'sample.gguf');
  const prepared = await prepareQuantization({ model: 'sample', type, pure });
  await quantize(prepared, { output, threads: availableParallelism(), force: true });
  await prepared.model.close();
  return output;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('in F16 the 256 tokens of the story have 3.098 nats each', () => {
  expect(tokens).toHaveLength(256);
  expect(f16).toBeCloseTo(-3.098, 3);
});

/** llama.cpp's CPU backend runs every type that Pith writes. */
async function runInLlamaCpp(path: string): Promise<{ generated: number; difference: number }> {
  const model = await llamaCpp.open(path);
  const generated = await model.greedy(tokens.slice(0, 16), 8);
  const difference = mean(await model.logProbabilities(tokens)) - f16;
  await model.close();
  return { generated: generated.length, difference: Math.abs(difference) };
}

/** llama-quantize writes these with an importance matrix only; test/golden/quantize-mixes.json has their layouts. */
const needsImatrix = (name: string) => /^(Q2_K_S|IQ3_XX?S|IQ2_.*)$/.test(name);

test.each(fileTypeNames)(
  '%s runs in llama.cpp, believes the story as F16 does, and has the layout of llama-quantize',
  async (name) => {
    const path = await write(name, false);
    const { generated, difference } = await runInLlamaCpp(path);
    expect(generated).toBe(8);
    expect(difference).toBeLessThan(bandOf(fileTypes[name].base));
    if (!needsImatrix(name)) expect(await tensorLayout(path)).toEqual(golden.mixes[name]);
  },
);

/** The tied sample has no rule that changes these, so that their mixes are the same files. */
const samePure: readonly EncodableType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q6_K'];

test.each(encodableTypes.filter((type) => !samePure.includes(type)))(
  '%s --pure runs in llama.cpp, believes the story as F16 does, and has the layout of llama-quantize',
  async (type) => {
    // The file type IQ2_S has IQ2_XS as its base.
    const path = await write(type === 'IQ2_S' ? 'IQ2_M' : type, true);
    const { generated, difference } = await runInLlamaCpp(path);
    expect(generated).toBe(8);
    expect(difference).toBeLessThan(bandOf(type));
    if (!needsImatrix(type)) expect(await tensorLayout(path)).toEqual(golden.pure[type]);
  },
);
