import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meta } from '../../src/formats/gguf/metadata.ts';
import type { Graph } from '../../src/graph/index.ts';
import { decoderGraph, tapNames } from '../../src/models/graph/decoder.ts';
import { encoderGraph } from '../../src/models/graph/encoder.ts';
import {
  golden,
  goldenModel,
  maxDelta,
  weightsFor,
  type GoldenModel,
} from '../../src/models/graph/golden.cases.ts';
import type { Model } from '../../src/models/model.ts';
import { startLlamaCpp, type LlamaCpp, type LlamaCppModel } from '../llama-cpp.ts';
import { runOnnx } from '../peer/onnx-session.ts';
import { expectTable, type DeltaRow } from './delta-table.ts';
import { tapsAroundActivation, withHalfActivations } from './half-activations.ts';
import { writeModelGguf } from './write-gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'pith-forward-'));
const { tokens, rows, pair } = golden;
const vocabulary = 32;
const table: DeltaRow[] = [];
let llama: LlamaCpp;

beforeAll(async () => {
  llama = await startLlamaCpp();
});
afterAll(async () => {
  await llama.close();
  rmSync(folder, { recursive: true });
});

async function run(
  model: Model,
  graph: Graph,
  inputs: Readonly<Record<string, readonly number[]>>,
): Promise<Record<string, number[]>> {
  const weights = await weightsFor(model, graph);
  const numbers = Object.entries({ ...weights, ...inputs }).map(
    ([name, data]) => [name, Float64Array.from(data, Number)] as const,
  );
  const results = await runOnnx(graph, Object.fromEntries(numbers));
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data)]),
  );
}

async function withLlama<T>(model: Model, ask: (llama: LlamaCppModel) => Promise<T>): Promise<T> {
  const path = join(folder, 'model.gguf');
  await writeModelGguf(path, model);
  const opened = await llama.open(path);
  const answer = await ask(opened);
  await opened.close();
  return answer;
}

/** f32 on both sides. */
const exact = 1e-4;
/** An activation that falls on the other side of a rounding step moves a logit by up to about 5e-4. */
const rounded = 1e-3;
/** llama.cpp computes BERT's GELU by tanh, and looks it up in a table of 16-bit floats. */
const approximate = 5e-3;

function hasGelu({ config: { model_type: type } }: GoldenModel): boolean {
  return /^(gemma|phi$|gpt2)/.test(type);
}

/** Positions that llama.cpp computes as the original: those within a window that it does not know. */
function sameInLlama({ config }: GoldenModel): { positions: number; note: string } {
  const window = config['sliding_window'];
  const ignored = !config.model_type.startsWith('gemma') && typeof window === 'number';
  return ignored
    ? { positions: window, note: 'llama.cpp has no window: compared within it' }
    : { positions: tokens.length, note: '' };
}

describe('decoders on ONNX Runtime', () => {
  test.each(golden.decoders)(
    '$label: within 1e-4 of transformers, and of llama.cpp',
    async (description) => {
      const model = goldenModel(description);
      const graph = decoderGraph(model, { batch: 1, length: tokens.length, logits: 'all' });
      const logits = (await run(model, graph, { tokens }))['logits']!;
      const kept = rows.flatMap((row) => logits.slice(vocabulary * row, vocabulary * (row + 1)));
      const transformers = maxDelta(kept, description.logits);
      expect(transformers).toBeLessThan(1e-4);

      const { positions, note } = sameInLlama(description);
      const theirs = await withLlama(model, (opened) => opened.logits(tokens, 0));
      const compared = theirs.slice(0, positions).flatMap((row) => Array.from(row));
      const plain = maxDelta(logits, compared);
      const row = { label: description.label, architecture: model.architecture, transformers };
      if (!hasGelu(description)) {
        expect(plain).toBeLessThan(exact);
        table.push({ ...row, llamaCpp: plain, note });
        return;
      }
      const taps = tapsAroundActivation(tapNames(model));
      const tapped = decoderGraph(model, { batch: 1, length: tokens.length, logits: 'all', taps });
      const half = await run(model, withHalfActivations(tapped), { tokens });
      const llamaCpp = maxDelta(half['logits']!, compared);
      expect(llamaCpp).toBeLessThan(Math.min(rounded, plain));
      table.push({
        ...row,
        llamaCpp,
        note: `with GELU in 11 bits; ${plain.toExponential(1)} in f32`,
      });
    },
  );
});

describe('encoders on ONNX Runtime', () => {
  test.each(golden.encoders)(
    '$label: within 1e-4 of transformers, and the embedding near that of llama.cpp',
    async (description) => {
      const model = goldenModel(description);
      const text = pair.tokens.flat();
      const distil = description.config.model_type === 'distilbert';
      const given = (types: readonly number[]) => ({
        tokens: text,
        attention_mask: pair.mask.flat(),
        ...(!distil && { token_types: types }),
      });
      const graph = encoderGraph(model, { batch: 2, length: 8 });
      const { hidden, embedding } = await run(model, graph, given(pair.types.flat()));
      const kept = pair.rows.flatMap(([at, position]) => {
        const start = vocabulary * (8 * at + position);
        return hidden!.slice(start, start + vocabulary);
      });
      const transformers = Math.max(
        maxDelta(kept, description.hidden),
        maxDelta(embedding!, description.embedding),
      );
      expect(transformers).toBeLessThan(1e-4);

      const row = { label: description.label, architecture: model.architecture, transformers };
      if (model.architecture !== 'bert') {
        table.push({ ...row, llamaCpp: undefined, note: 'not in llama.cpp' });
        return;
      }
      const pooled = {
        ...model,
        metadata: new Map([...model.metadata, ['bert.pooling_type', meta.uint32(1)]]),
      };
      const theirs = await withLlama(pooled, (opened) => opened.embedding(pair.tokens[0]!));
      const ours = await run(model, graph, given(text.map(() => 0)));
      const length = Math.hypot(...theirs);
      const unit = theirs.map((value) => value / length);
      const llamaCpp = maxDelta(ours['embedding']!, unit);
      expect(llamaCpp).toBeLessThan(approximate);
      table.push({
        ...row,
        llamaCpp,
        note: "embedding, no token types; llama.cpp's GELU is not exact",
      });
    },
  );
});

test('FEATURES.md states these distances', () => {
  expect(table).toHaveLength(golden.decoders.length + golden.encoders.length);
  expectTable(table, golden.source);
});
