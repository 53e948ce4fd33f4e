import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import {
  harnessResults,
  harnessSamples,
  loadTask,
  runTask,
  type TaskFile,
  type TaskModel,
} from '../src/evaluate/tasks/index.ts';

const goldens = resolve(import.meta.dirname, 'golden/lm-eval');
const tasks = resolve(import.meta.dirname, '../tasks');
/** By interop/lm-eval-tasks.py: lm-evaluation-harness's own task files on the rows of the folder. */
const golden = JSON.parse(readFileSync(resolve(goldens, 'results.json'), 'utf8')) as {
  texts: string[];
  results: Record<string, Record<string, number>>;
  higher_is_better: Record<string, Record<string, boolean>>;
  'n-shot': Record<string, number>;
  samples: Record<
    string,
    { doc_id: number; filter: string; arguments: string[][]; resps: unknown[][] }[]
  >;
};

function file(folder: string, name: string): TaskFile {
  return { name, bytes: readFileSync(resolve(folder, name)) };
}

/** FNV-1a of the UTF-8 bytes, 32 bits. */
function hashed(text: string): number {
  let value = 2_166_136_261;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 16_777_619) >>> 0;
  return value;
}

/** A token of how likely it is after others, as the script has it: the likelier, the smaller. */
function mixed(tokens: Int32Array, at: number, token: number): number {
  const before = tokens.subarray(0, at).reduce((sum, id) => sum + id, 0);
  return (before % 1009) * (token % 1013) + at;
}

const logProb = (mixed: number) => -((mixed % 101) + 1) / 32;

/** The script's model: tokens are words with the space before them, or single other characters. */
const model: TaskModel = {
  prefixToken: 0,
  addPrefix: false,
  tokenizer: {
    encode: (text) => {
      const tokens = text.match(/ ?[\p{L}\p{N}]+|[\s\S]/gu) ?? [];
      return tokens.map((token) => (hashed(token) % 50_000) + 1);
    },
  },
  scorer: {
    engine: 'onnx',
    device: 'cpu',
    vocabulary: 50_001,
    contextLength: 4096,
    async score({ tokens, first }, options) {
      const scored = [...tokens.keys()].slice(first);
      const values = scored.map((at) => mixed(tokens, at, tokens[at]!));
      const asked = [...(options?.at ?? [])].map((token) => logProb(mixed(tokens, first, token)));
      return {
        logProbs: Float32Array.from(values, logProb),
        best: Int32Array.from(scored, (at, i) => tokens[at]! + Number(values[i]! % 3 === 0)),
        at: Float32Array.from(asked),
      };
    },
    async close() {},
  },
  async generate(prompt) {
    return { text: golden.texts[hashed(prompt) % golden.texts.length]!, truncated: false };
  },
};

async function run(name: string) {
  const task = await loadTask(file(tasks, `${name}.yaml`), {
    read: async (path) => file(goldens, path),
  });
  return runTask(task, model);
}

/**
 * Texts and likelihoods, which are multiples of 1/32: equal to the last bit. Without the greedy flags of
 * choices: this model's likeliest token depends on the one that is asked about.
 */
function comparable(resps: unknown[][]): unknown[] {
  return resps.map(([answer]) => (Array.isArray(answer) && resps.length > 1 ? answer[0] : answer));
}

test.each(Object.keys(golden.results))(
  '%s gives the scores and standard errors of lm-evaluation-harness on the same likelihoods',
  async (name) => {
    const result = await run(name);
    const report = harnessResults([result]);
    for (const [key, value] of Object.entries(golden.results[name]!)) {
      // Its own bootstrap; ours is checked against the formula in src/evaluate/tasks.
      const resampled = /^(perplexity|f1|mcc)_stderr/.test(key);
      if (!key.includes(',') || resampled) continue;
      expect({ [key]: report.results[name]![key] }).toEqual({ [key]: expect.closeTo(value, 6) });
    }
    expect(report['n-shot'][name]).toBe(golden['n-shot'][name]);
    expect(report.higher_is_better[name]).toMatchObject(golden.higher_is_better[name]!);
    const asked = harnessSamples(result) as { arguments: string[][]; resps: unknown[][] }[];
    for (const { doc_id, arguments: prompts, resps } of golden.samples[name]!) {
      expect(asked[doc_id]!.arguments).toEqual(prompts);
      expect(comparable(asked[doc_id]!.resps)).toEqual(comparable(resps));
    }
  },
);
