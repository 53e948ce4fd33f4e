import { expect, test } from 'vitest';
import { firstThatLoads, quickest, type TriedProvider } from './providers.ts';

const trial = (
  provider: TriedProvider['provider'],
  milliseconds: number,
  relativeError = 2e-6,
): TriedProvider => ({
  provider,
  outcome: { version: '1.30.0', milliseconds, relativeError },
});
const broken: TriedProvider = { provider: 'cuda', outcome: { problem: 'no such library' } };

test('the quickest exact provider is taken, and each other one has its reason', () => {
  const tried = [
    trial('cpu', 9),
    broken,
    trial('coreml', 1, 4e-4),
    trial('dml', 3),
    trial('webgpu', 2),
  ];
  expect(quickest(tried)).toEqual({
    provider: 'webgpu',
    passedOver: [
      { provider: 'cuda', reason: 'no such library' },
      { provider: 'coreml', reason: 'it rounds: relative error 4.0e-4 of a matrix product' },
      { provider: 'dml', reason: 'webgpu is quicker' },
    ],
  });
});

test('the CPU stays unless another is 1.5 times as quick', () => {
  expect(quickest([trial('cpu', 3), trial('webgpu', 2.1)])).toEqual({
    provider: 'cpu',
    passedOver: [
      { provider: 'webgpu', reason: 'not worth it: 2.1 ms for a product, others 2.0 ms' },
    ],
  });
  expect(quickest([trial('cpu', 3), trial('webgpu', 1.9)]).provider).toBe('webgpu');
});

test('of wanted providers the first that loads is taken, however it rounds', () => {
  const tried = [broken, trial('coreml', 5, 1e-3), trial('cpu', 5)];
  expect(firstThatLoads(tried)).toEqual({
    provider: 'coreml',
    passedOver: [{ provider: 'cuda', reason: 'no such library' }],
  });
});

test('when no wanted provider loads, the error has the reason of each', () => {
  expect(() => firstThatLoads([broken])).toThrowError(
    expect.objectContaining({
      code: 'engine',
      message: 'None of these providers works here. cuda: no such library',
    }),
  );
});
