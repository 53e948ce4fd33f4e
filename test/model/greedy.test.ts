import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareQuantization, quantize } from '../../dist/recipes/quantize.js';
import { startLlamaCpp, type LlamaCpp, type LlamaCppModel } from '../llama-cpp.ts';
import { checkpoints, writeCheckpoint } from './random-checkpoint.ts';
import { ReferenceDecoder, type Continuation } from './reference-decoder.ts';

/** Prompts, their greedy tokens and the largest logits, by interop/greedy-transformers.py. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/greedy.json'), 'utf8'),
) as { models: Record<string, { prompt: number[]; tokens: number[]; logits: number[] }[]> };

/** llama.cpp computes in F32, the reference in f64: at most 4e-5 apart here, logits up to 25. */
const llamaTolerance = 2e-4;
/** transformers norms and rotates in F32 in an f64 model; its logits are stored with 5 digits. */
const transformersTolerance = 1e-4;

const sample = resolve(import.meta.dirname, '../../models/sample');
const pith = resolve(import.meta.dirname, '../../dist/cli/index.js');
const folder = mkdtempSync(join(tmpdir(), 'pith-greedy-'));
let llamaCpp: LlamaCpp;
beforeAll(async () => {
  llamaCpp = await startLlamaCpp();
});
afterAll(async () => {
  await llamaCpp.close();
  rmSync(folder, { recursive: true });
});

async function writeF32(model: string, name: string): Promise<string> {
  const output = join(folder, `${name}.gguf`);
  const prepared = await prepareQuantization({ model, type: 'F32' });
  await quantize(prepared, { output, threads: 1 });
  await prepared.model.close();
  return output;
}

/** Largest difference over all steps and tokens; llama.cpp computes all steps in one batch. */
async function largestDifference(
  engine: LlamaCppModel,
  prompt: readonly number[],
  { tokens, logits }: Continuation,
): Promise<number> {
  const found = await engine.logits([...prompt, ...tokens.slice(0, -1)], prompt.length - 1);
  const differences = logits.map((step, at) => {
    expect(found[at]!.length).toBe(step.length);
    return step.reduce((most, value, i) => Math.max(most, Math.abs(value - found[at]![i]!)), 0);
  });
  return Math.max(...differences);
}

interface Greedy {
  /** 3 × 64 greedy tokens. */
  readonly tokens: { llamaCpp: number[][]; reference: number[][]; transformers: number[][] };
  /** Largest difference to the reference over all logits, and over the steps' largest logits. */
  readonly difference: { llamaCpp: number; transformers: number };
}

async function runGreedy(gguf: string, reference: ReferenceDecoder, name: string) {
  const found: Greedy = {
    tokens: { llamaCpp: [], reference: [], transformers: [] },
    difference: { llamaCpp: 0, transformers: 0 },
  };
  const engine = await llamaCpp.open(gguf);
  for (const { prompt, tokens, logits } of golden.models[name]!) {
    const continuation = reference.greedy(prompt, tokens.length);
    found.tokens.transformers.push(tokens);
    found.tokens.reference.push(continuation.tokens);
    found.tokens.llamaCpp.push(await engine.greedy(prompt, tokens.length));
    const { difference } = found;
    difference.llamaCpp = Math.max(
      difference.llamaCpp,
      await largestDifference(engine, prompt, continuation),
    );
    difference.transformers = Math.max(
      difference.transformers,
      ...continuation.logits.map((step, at) => Math.abs(Math.max(...step) - logits[at]!)),
    );
  }
  await engine.close();
  return found;
}

const models = [
  ...Object.keys(checkpoints).map((name, at) => [`random ${name}`, name, at] as const),
  ['the model in the box', 'sample', -1] as const,
];

test.each(models)(
  'F32 in llama.cpp = plain f64 = transformers: 3 × 64 greedy tokens of %s',
  async (_, key, at) => {
    const source = at < 0 ? sample : join(folder, String(at));
    if (at >= 0) writeCheckpoint(source, checkpoints[key]!, at + 1);
    const gguf = await writeF32(source, key.replaceAll(/\W/g, '-'));
    const { tokens, difference } = await runGreedy(gguf, new ReferenceDecoder(source), key);
    expect(tokens.reference).toEqual(tokens.transformers);
    expect(tokens.llamaCpp).toEqual(tokens.transformers);
    expect(tokens.llamaCpp.every((list) => list.length === 64)).toBe(true);
    expect(Math.min(...tokens.llamaCpp.map((list) => new Set(list).size))).toBeGreaterThan(16);
    expect(difference.llamaCpp).toBeLessThan(llamaTolerance);
    expect(difference.transformers).toBeLessThan(transformersTolerance);
  },
);

test.each(Object.entries(checkpoints).filter(([, { config }]) => config['rope_scaling']))(
  'without its scaling, the logits of random %s are off by more than 0.1',
  (_, checkpoint) => {
    const source = join(folder, 'scaled');
    writeCheckpoint(source, checkpoint, 1);
    const tokens = Array.from({ length: 40 }, (_, i) => 100 + 7 * i);
    const [scaled, plain] = [{}, { rope_scaling: null }].map(
      (changes) => new ReferenceDecoder(source, changes).greedy(tokens, 1).logits[0]!,
    );
    const differences = scaled!.map((value, i) => Math.abs(value - plain![i]!));
    expect(Math.max(...differences)).toBeGreaterThan(0.1);
  },
);

test('pith run gives the same 64 tokens of the sample, with its F16 key/value cache', () => {
  const run = ['run', join(folder, 'sample.gguf'), '-p', 'Once upon a time there was a little'];
  const options = ['-n', '64', '--temp', '0', '--json'];
  const out = execFileSync(process.execPath, [pith, ...run, ...options], { encoding: 'utf8' });
  const { tokens } = JSON.parse(out) as { tokens: number[] };
  expect(tokens).toEqual(golden.models['sample']![0]!.tokens);
});
