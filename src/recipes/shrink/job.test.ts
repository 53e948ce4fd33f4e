import { expect, test } from 'vitest';
import { fakeModel } from '../../models/fake-model.cases.ts';
import { quantizedNotes } from './job.ts';

test('a model that is quantized already is told so with its types; vectors in F32 are not quantized', () => {
  const shapes = { 'output.weight': [4, 256], 'output_norm.weight': [256] };
  const model = (type: 'BF16' | 'Q4_K') => fakeModel({ architecture: 'llama', shapes, type });
  expect(quantizedNotes(model('BF16'))).toEqual([]);
  expect(quantizedNotes(model('Q4_K'))).toEqual([
    expect.stringMatching(/^fake is quantized already \(Q4_K\): what that lost is lost/),
  ]);
});
