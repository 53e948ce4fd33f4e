import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { tensorOf } from '../one-tensor.cases.ts';
import { activationNoise } from './activation-noise.ts';

const transcoder = inlineTranscoder(scalarKernels);
const columns = 256;
/** Two rows: 1, 1, 1, ... and 2, 2, 2, ... */
const weights = Float32Array.from({ length: 2 * columns }, (_, at) => (at < columns ? 1 : 2));
const tensor = tensorOf(weights, columns);

const counts = Float64Array.of(10);
const moments = (means: number[]) => {
  const sums = Float64Array.from(means, (mean) => 10 * mean);
  return { experts: 1, size: means.length, sums, counts };
};
/** The largest activation is 127 in the first block of 32, 12.7 in the others. */
const peaks = {
  of32: moments([127 ** 2, ...Array.from({ length: 7 }, () => 12.7 ** 2)]),
  of256: moments([127 ** 2]),
};
const inputs = moments(Array.from({ length: columns }, () => 1));
const outputs = moments([3, 5]);

function evidence(known: object): Evidence {
  return { tokens: 10, tensors: new Map([['w', known]]) } as unknown as Evidence;
}

test('a block of 256 has the step of its largest activation, blocks of 32 their own: by hand', async () => {
  const options = { evidence: evidence({ inputs, outputs, peaks }), transcoder };
  const noise = await activationNoise(tensor, options);
  // Rows cost 3 · 1² + 5 · 2² = 23 a unit of squared error; a step of 1 errs by 1/12, one of 0.1 by 1/1200.
  expect(noise('Q4_K')).toBeCloseTo((23 / 2) * (256 / 12), 3);
  expect(noise('IQ3_S')).toBe(noise('Q4_K'));
  expect(noise('Q8_0')).toBeCloseTo((23 / 2) * (32 / 12 + 224 / 1200), 3);
  expect(noise('IQ4_NL')).toBe(noise('Q8_0'));
  expect(noise('F16')).toBe(0);
});

test('evidence without peaks predicts no noise', async () => {
  const options = { evidence: evidence({ inputs, outputs }), transcoder };
  const noise = await activationNoise(tensor, options);
  expect(noise('Q4_K')).toBe(0);
});
