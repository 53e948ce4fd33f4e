import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareQuantization, quantize } from '../../dist/recipes/quantize.js';
import { startLlamaCpp, type LlamaCpp } from '../llama-cpp.ts';
import { familyCheckpoints, writeFamilyCheckpoint } from './family-checkpoints.ts';

/** Prompts and greedy tokens of the converter's files, by interop/greedy-families.py. */
const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../golden/greedy-families.json'), 'utf8'),
) as { models: Record<string, { prompt: number[]; tokens: number[] }[]> };

const folder = mkdtempSync(join(tmpdir(), 'pith-families-'));
let llamaCpp: LlamaCpp;
beforeAll(async () => {
  llamaCpp = await startLlamaCpp();
});
afterAll(async () => {
  await llamaCpp.close();
  rmSync(folder, { recursive: true });
});

async function convert(model: string, type: string): Promise<string> {
  const output = `${model}-${type}.gguf`;
  const prepared = await prepareQuantization({ model, type });
  await quantize(prepared, { output, threads: 1 });
  await prepared.model.close();
  return output;
}

test.each(familyCheckpoints.map((entry, at) => [entry.label, entry, at] as const))(
  'in F32, llama.cpp gives the 3 × 48 greedy tokens of the file of convert_hf_to_gguf.py: %s',
  async (label, entry, at) => {
    const source = join(folder, String(at));
    writeFamilyCheckpoint(source, entry, at + 1);
    const engine = await llamaCpp.open(await convert(source, 'F32'));
    for (const { prompt, tokens } of golden.models[label]!) {
      expect(await engine.greedy(prompt, tokens.length)).toEqual(tokens);
      expect(new Set(tokens).size).toBeGreaterThan(16);
    }
    await engine.close();
    // Rows of 64 weights fit no type of 256, so this mix falls back in every matrix: it must load.
    const mixed = await llamaCpp.open(await convert(source, 'Q4_K_M'));
    expect(await mixed.greedy(golden.models[label]![0]!.prompt, 8)).toHaveLength(8);
    await mixed.close();
  },
);
