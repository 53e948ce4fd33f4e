import { expect, test } from 'vitest';
import { pith, pithJson } from './pith.ts';
import { sampleGguf } from './sample-gguf.ts';

const sample = sampleGguf();

test('a Hugging Face folder and the GGUF made of it have the same weights', async () => {
  const folder = await pithJson(['inspect', 'sample']);
  const gguf = await pithJson(['inspect', sample.path()]);
  const facts = {
    architecture: 'llama',
    parameters: 7_344_384,
    contextLength: 512,
    vocabulary: 4096,
    layers: 8,
    chatTemplate: false,
  };
  expect(folder.report).toMatchObject({ ...facts, bytes: 2 * 7_344_384, bitsPerWeight: 16 });
  expect(gguf.report).toMatchObject(facts);
  expect([folder.code, gguf.code, folder.stderr, gguf.stderr]).toEqual([0, 0, '', '']);
});

test('memory at a context length: weights + cache + compute', async () => {
  const { report } = await pithJson<{ memory: Record<string, number> }>([
    'inspect',
    'sample',
    '--context',
    '256',
  ]);
  expect(report.memory).toMatchObject({ contextLength: 256, kvCacheBytes: 2 ** 20 });
});

test('for people: facts, a table of types, notes; --tensors lists all 74', async () => {
  const { stdout } = await pith(['inspect', 'sample']);
  expect(stdout).toContain('parameters       7.34 M (7,344,384)');
  expect(stdout).toContain('No chat template: a text model');
  const listed = await pith(['inspect', 'sample', '--tensors']);
  expect(listed.stdout.match(/^(blk\.|token_embd|output_norm).*BF16/gm)).toHaveLength(74);
});

test('a folder without a model is not found', async () => {
  const { code, report } = await pithJson(['inspect', sample.folder()]);
  expect(code).toBe(1);
  expect(report).toMatchObject({ error: { code: 'not-found' } });
});
