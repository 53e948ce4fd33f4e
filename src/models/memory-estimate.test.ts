import { expect, test } from 'vitest';
import { meta } from '../formats/gguf/metadata.ts';
import { fakeModel } from './fake-model.cases.ts';
import { estimateMemory } from './memory-estimate.ts';

const MiB = 2 ** 20;

function llama(block_count: number, embedding_length: number, heads: number, kvHeads: number) {
  return fakeModel({
    architecture: 'llama',
    keys: {
      block_count,
      embedding_length,
      feed_forward_length: embedding_length * (embedding_length === 256 ? 3 : 4),
      'attention.head_count': heads,
      'attention.head_count_kv': kvHeads,
    },
    shapes: { 'token_embd.weight': [4096, embedding_length] },
  });
}

const sample = llama(8, 256, 4, 2);
const half = llama(16, 1536, 24, 8);

test.each([
  [sample, 256, 1, 4.5],
  [sample, 300, 2, 5.27],
  [half, 512, 16, 48.51],
  [half, 1024, 32, 49.01],
  [half, 2048, 64, 50.01],
])(
  'cache and compute buffers are those llama.cpp v0.5.0 reports (%#)',
  (model, context, cacheMiB, computeMiB) => {
    const estimate = estimateMemory(model, context)!;
    expect(estimate.kvCacheBytes).toBe(cacheMiB * MiB);
    expect(estimate.computeBytes / MiB / computeMiB).toBeCloseTo(1, 2.5);
    expect(estimate.totalBytes).toBe(
      estimate.weightsBytes + estimate.kvCacheBytes + estimate.computeBytes,
    );
  },
);

test('a list of KV heads, one a layer, adds up', () => {
  const metadata = new Map(half.metadata);
  metadata.set('llama.attention.head_count_kv', meta.int32s([...Array(15).fill(8), 0]));
  const estimate = estimateMemory({ ...half, metadata }, 512)!;
  expect(estimate.kvCacheBytes).toBe(15 * MiB);
});

test('a model without attention heads has no estimate', () => {
  const mamba = fakeModel({
    architecture: 'mamba',
    keys: { block_count: 8, embedding_length: 256 },
    shapes: {},
  });
  expect(estimateMemory(mamba, 512)).toBeUndefined();
});

test('an encoder has no cache of keys and values', () => {
  const metadata = new Map(half.metadata).set('llama.attention.causal', meta.bool(false));
  expect(estimateMemory({ ...half, metadata }, 512)).toMatchObject({ kvCacheBytes: 0 });
});
