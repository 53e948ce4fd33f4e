import { expect, test } from 'vitest';
import { fakeModel } from '../../models/fake-model.cases.ts';
import { promptLengthsFor } from './prompt-lengths.ts';

const model = (context_length: number) =>
  fakeModel({ architecture: 'llama', keys: { context_length }, shapes: {} });

test('128, 512 and 2048 as far as 64 decoded tokens and 2 spare ones still fit', () => {
  expect(promptLengthsFor(model(4096), undefined, 64)).toEqual([128, 512, 2048]);
  expect(promptLengthsFor(model(2048 + 66), undefined, 64)).toEqual([128, 512, 2048]);
  expect(promptLengthsFor(model(2048 + 65), undefined, 64)).toEqual([128, 512]);
  expect(promptLengthsFor(model(100), undefined, 64)).toEqual([17]);
});

test('wanted lengths come ascending and once; what does not fit is refused with the numbers', () => {
  expect(promptLengthsFor(model(512), [256, 16, 256], 64)).toEqual([16, 256]);
  expect(() => promptLengthsFor(model(512), [16, 480], 64)).toThrow(
    /prompt of 480 and 64 tokens after it do not fit the context of 512/,
  );
  expect(() => promptLengthsFor(model(512), undefined, 600)).toThrow(/prompt of 1 and 600/);
});
