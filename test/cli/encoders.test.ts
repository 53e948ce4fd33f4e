import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeEncoderFolder } from '../model/encoder-folders.ts';
import { pith } from './pith.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-encoders-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Quantized {
  verification: { ok: boolean; checks: { name: string; skipped?: boolean; detail: string }[] };
}

/** Converts an encoder; returns the GGUF file and what `pith quantize` found out about it. */
async function quantize(label: string) {
  const source = join(folder, label.replaceAll(/\W+/g, '-'));
  writeEncoderFolder(source, label);
  const output = `${source}.gguf`;
  const { code, stdout } = await pith(['quantize', source, '-t', 'Q8_0', '-o', output, '--json']);
  const { verification } = JSON.parse(stdout) as Quantized;
  const details = Object.fromEntries(
    verification.checks.map(({ name, skipped, detail }) => [
      name,
      skipped ? `skipped: ${detail}` : detail,
    ]),
  );
  return { code, output, ok: verification.ok, details };
}

test.each(['bert, mean pooling, as MiniLM', 'distilbert'])(
  '%s: the tokens of 13 of 14 texts are compared, Korean is known to differ, text is not made',
  async (label) => {
    const { code, ok, details } = await quantize(label);
    expect([code, ok]).toEqual([0, true]);
    expect(details['tokenizer']).toMatch(/of 13 texts equal .*its own way: korean$/);
    expect(details['generation']).toBe('skipped: not checked: an encoder makes vectors, no text');
  },
);

test('MobileBERT is converted, and quantize, verify and run say that llama.cpp cannot run it', async () => {
  const { code, output, ok, details } = await quantize('mobilebert');
  expect([code, ok]).toEqual([0, true]);
  for (const check of ['tokenizer', 'generation']) {
    expect(details[check]).toContain('no architecture mobilebert; only ONNX Runtime runs');
  }
  const run = await pith(['run', output, '-p', 'Hello']);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('is an encoder (mobilebert): it makes vectors, no text.');
  expect(run.stderr).toContain('only ONNX Runtime runs the model');
});
