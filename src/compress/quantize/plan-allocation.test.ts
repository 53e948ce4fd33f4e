import { expect, test } from 'vitest';
import type { EncodableType } from '../../kernels/kernels.ts';
import { fakeModel } from '../../models/fake-model.cases.ts';
import { parseFileType } from './file-types.ts';
import { planAllocation, quantizableTensors } from './plan-allocation.ts';
import { planQuantization } from './plan.ts';

const shapes = {
  'token_embd.weight': [100, 256],
  'blk.0.attn_norm.weight': [256],
  'blk.0.ffn_gate_inp.weight': [4, 256],
  'blk.0.attn_v.weight': [128, 256],
  'blk.0.ffn_down.weight': [256, 512],
};
const model = fakeModel({ architecture: 'llama', keys: { block_count: 1 }, shapes, type: 'BF16' });
const types = new Map<string, EncodableType>([
  ['token_embd.weight', 'Q6_K'],
  ['blk.0.attn_v.weight', 'Q8_0'],
  ['blk.0.ffn_down.weight', 'Q3_K'],
]);

test('named matrices take their types, routers stay as stored, vectors become F32', () => {
  const { tensors, metadata, notes } = planAllocation(model, types);
  expect(tensors.map(({ to }) => to)).toEqual(['Q6_K', 'F32', 'BF16', 'Q8_0', 'Q3_K']);
  expect(tensors.map(({ reason }) => reason)).toEqual([
    'allocation',
    'kept',
    'kept',
    'allocation',
    'allocation',
  ]);
  expect(metadata.get('general.file_type')!.value).toBe(12);
  expect(notes).toEqual([]);
});

test('all in one type is the file of --pure, byte for byte of the header', () => {
  const names = quantizableTensors(model);
  expect(names).toEqual(['token_embd.weight', 'blk.0.attn_v.weight', 'blk.0.ffn_down.weight']);
  const pure = planQuantization(model, { type: parseFileType('Q4_K', true) });
  const all = planAllocation(model, new Map(names.map((name) => [name, 'Q4_K' as const])));
  expect(all.layout).toEqual(pure.layout);
});

test("the header's length is the same for all types", () => {
  const lengths = (['Q8_0', 'F16', 'IQ2_XXS'] as const).map(
    (type) =>
      planAllocation(model, new Map([['blk.0.ffn_down.weight', type]])).layout.header.length,
  );
  expect(new Set(lengths).size).toBe(1);
});

test('a type of a tensor that is not there is refused', () => {
  expect(() => planAllocation(model, new Map([['blk.7.attn_v.weight', 'Q8_0']]))).toThrow(
    expect.objectContaining({ code: 'not-found' }),
  );
});
