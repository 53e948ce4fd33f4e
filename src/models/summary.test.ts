import { expect, test } from 'vitest';
import { fakeModel } from './fake-model.cases.ts';
import { summarize } from './summary.ts';

test('weights and bytes are those of the tensor table: Q8_0 takes 34 bytes for 32 weights', () => {
  const model = fakeModel({
    architecture: 'llama',
    keys: { context_length: 512, block_count: 1 },
    shapes: { 'token_embd.weight': [100, 64], 'output_norm.weight': [64] },
    type: 'Q8_0',
  });
  expect(summarize(model)).toEqual({
    architecture: 'llama',
    parameters: 6464,
    activeParameters: 6464,
    bytes: 6800 + 256,
    bitsPerWeight: (8 * 7056) / 6464,
    contextLength: 512,
    vocabulary: 100,
    layers: 1,
    chatTemplate: false,
    tensors: [
      { name: 'token_embd.weight', shape: [100, 64], type: 'Q8_0', bytes: 6800 },
      { name: 'output_norm.weight', shape: [64], type: 'F32', bytes: 256 },
    ],
  });
});

test('a file with a vocabulary alone has 0 weights and 0 bits a weight', () => {
  const model = fakeModel({ architecture: 'qwen2', keys: { vocab_size: 7 }, shapes: {} });
  expect(summarize(model)).toMatchObject({ parameters: 0, bitsPerWeight: 0, vocabulary: 7 });
});

test('of 8 experts with 2 for each token, a quarter of the stacked weights is active', () => {
  const model = fakeModel({
    architecture: 'llama',
    keys: { expert_count: 8, expert_used_count: 2 },
    shapes: { 'blk.0.ffn_gate_inp.weight': [8, 64], 'blk.0.ffn_up_exps.weight': [8, 32, 64] },
  });
  expect(summarize(model)).toMatchObject({
    parameters: 512 + 8 * 2048,
    activeParameters: 512 + 2 * 2048,
  });
});
