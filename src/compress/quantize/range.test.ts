import { expect, test } from 'vitest';
import { scalarKernels } from '../../kernels/scalar.ts';
import { inlineTranscoder } from '../../kernels/transcoder.ts';
import type { EncodableType } from '../../kernels/kernels.ts';
import { mayOverflow, requireInRange } from './range.ts';

const transcoder = inlineTranscoder(scalarKernels);

/** Two rows of 256 small weights and one other in row 1, column 2; the slab begins at row 10. */
async function check(to: EncodableType, weight: number): Promise<string> {
  const values = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i));
  values[258] = weight;
  const bytes = new Uint8Array(values.buffer);
  const slab = { from: 'F32', to, columns: 256, bytes } as const;
  const result = await transcoder.transcode(slab);
  if (!mayOverflow(result)) return 'fits';
  const planned = {
    name: 'w',
    shape: [20, 256],
    from: 'F32',
    to,
    bytes: 0,
    reason: 'mix',
  } as const;
  return requireInRange(planned, { slab, first: 10, result }, transcoder).then(
    () => 'fits',
    (error: Error) => error.message,
  );
}

test('F16 holds 65519 (rounded to 65504), not 65520', async () => {
  expect(await check('F16', 65519)).toBe('fits');
  expect(await check('F16', -65520)).toBe(
    'w holds -65520.0 in row 11, column 2, which F16 cannot express.',
  );
});

test('a weight that dwarfs its block is no overflow while the scale can follow it', async () => {
  expect(await check('Q8_0', 1e6)).toBe('fits');
  expect(await check('Q4_K', 1e5)).toBe('fits');
});

test.each(['Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K', 'Q2_K', 'IQ4_XS', 'TQ2_0'] as const)(
  '%s cannot express 1e30',
  async (type) => {
    expect(await check(type, 1e30)).toContain('holds 1.00000e+30 in row 11, column 2');
  },
);

test.each(['F32', 'BF16'] as const)('%s can', async (type) => {
  expect(await check(type, 1e30)).toBe('fits');
});
