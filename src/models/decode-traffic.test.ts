import { expect, test } from 'vitest';
import { decodeTraffic } from './decode-traffic.ts';
import { fakeModel } from './fake-model.cases.ts';

const dense = fakeModel({
  architecture: 'llama',
  keys: {
    block_count: 2,
    embedding_length: 64,
    'attention.head_count': 4,
    'attention.head_count_kv': 2,
  },
  shapes: {},
});
const tensor = (name: string, rows: number, bytes: number) => ({
  name,
  shape: [rows, 64],
  bytes,
});

test('a tied embedding is read whole, as the output; an untied one by the row', () => {
  const embedding = tensor('token_embd.weight', 100, 12_800);
  const block = tensor('blk.0.attn_q.weight', 64, 8192);
  expect(decodeTraffic(dense, [embedding, block], 0).totalBytes).toBe(12_800 + 8192);
  const output = tensor('output.weight', 100, 12_800);
  expect(decodeTraffic(dense, [embedding, block, output], 0).totalBytes).toBe(128 + 8192 + 12_800);
});

test('cache at 10 tokens: 2 layers x 2 KV heads x (16 + 16) numbers x 2 bytes x 10 = 2560', () => {
  expect(decodeTraffic(dense, [], 10)).toEqual({
    weightsBytes: 0,
    kvCacheBytes: 2560,
    totalBytes: 2560,
  });
});

test('of 8 experts a token reads the 2 it is sent to', () => {
  const model = fakeModel({
    architecture: 'qwen3moe',
    keys: { expert_count: 8, expert_used_count: 2 },
    shapes: {},
  });
  const tensors = [
    { name: 'blk.0.ffn_up_exps.weight', shape: [8, 64, 64], bytes: 8000 },
    tensor('blk.0.ffn_gate_inp.weight', 8, 100),
  ];
  expect(decodeTraffic(model, tensors, 10).totalBytes).toBe(2000 + 100);
});
