import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bitFlips,
  countRefused,
  damaged,
  fuzzRuns,
  fuzzTimeout,
  outcome,
  withInteger,
} from '../bytes.cases.ts';
import { memorySource } from '../../util/memory-source.ts';
import { openGguf } from './open.ts';
import { ggufBytes } from './sample.cases.ts';

const file = await ggufBytes();
const { headerBytes } = await openGguf(memorySource(file));

test('a file cut at any length is truncated, or whole up to its last padding', async () => {
  for (let length = 0; length < file.length; length++) {
    const opened = openGguf(memorySource(file.slice(0, length)));
    if (length < 4) await expect(opened).rejects.toMatchObject({ code: 'corrupt' });
    else if (length < file.length - 28) {
      await expect(opened).rejects.toMatchObject({ code: 'truncated' });
    } else expect((await opened).tensors.size).toBe(3);
  }
});

test.each([2n ** 63n, 2n ** 60n, 2n ** 53n - 1n, 10n ** 9n, 65536n])(
  'the integer %i over every byte of the header gives a file or a PithError',
  async (value) => {
    const refused = await countRefused(openGguf, withInteger(file, headerBytes, value));
    expect(refused).toBeGreaterThan(headerBytes / 2);
  },
);

test('every flipped bit of the header gives a file or a PithError', async () => {
  const refused = await countRefused(openGguf, bitFlips(file, headerBytes));
  expect(refused).toBeGreaterThan(headerBytes);
});

test(
  'files damaged in several places, and random bytes, give a file or a PithError',
  async () => {
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => {
      const head = [...file.subarray(0, 8), 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
      return Uint8Array.from([...head, ...bytes]);
    });
    const anything = fc.oneof(damaged(file), noise, fc.uint8Array());
    const property = fc.asyncProperty(anything, async (bytes) => {
      expect(['opened', 'refused']).toContain(await outcome(openGguf, bytes));
    });
    await fc.assert(property, { numRuns: fuzzRuns });
  },
  fuzzTimeout,
);
