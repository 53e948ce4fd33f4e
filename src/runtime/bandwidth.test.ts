import { expect, test } from 'vitest';
import { measureBandwidth } from './bandwidth.ts';

test('measuring memory stops when nobody wants it any more', async () => {
  await expect(measureBandwidth(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
});
