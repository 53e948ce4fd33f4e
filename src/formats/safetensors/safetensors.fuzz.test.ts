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
import { openSafetensors } from './open.ts';
import { headed, safetensorsBytes } from './sample.cases.ts';
import { openShardedSafetensors } from './sharded.ts';

const file = await safetensorsBytes();
const headerBytes = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));

test('a file cut at any length is truncated', async () => {
  for (let length = 0; length < file.length; length++) {
    const opened = openSafetensors(memorySource(file.slice(0, length)));
    await expect(opened).rejects.toMatchObject({ code: 'truncated' });
  }
});

test.each([2n ** 63n, 2n ** 53n, 10n ** 8n, 0n])(
  'the integer %i over every byte of the header gives a file or a PithError',
  async (value) => {
    const refused = await countRefused(openSafetensors, withInteger(file, headerBytes, value));
    expect(refused).toBeGreaterThan(headerBytes / 2);
  },
);

test('every flipped bit of the header gives a file or a PithError', async () => {
  const refused = await countRefused(openSafetensors, bitFlips(file, headerBytes));
  expect(refused).toBeGreaterThan(headerBytes);
});

test(
  'damaged files, headers of random JSON and random bytes give a file or a PithError',
  async () => {
    const json = fc.json().map((text) => headed(text));
    const sizes = fc.array(fc.oneof(fc.nat(9), fc.double(), fc.constant(2 ** 53), fc.string()));
    const entry = fc.record(
      { dtype: fc.constantFrom('F32', 'BF16', 'F4', 7), shape: sizes, data_offsets: sizes },
      { requiredKeys: [] },
    );
    const entries = fc
      .dictionary(fc.string(), entry)
      .map((entries) => headed(JSON.stringify(entries), new Uint8Array(20)));
    const anything = fc.oneof(damaged(file), json, entries, fc.uint8Array());
    const property = fc.asyncProperty(anything, async (bytes) => {
      expect(['opened', 'refused']).toContain(await outcome(openSafetensors, bytes));
    });
    await fc.assert(property, { numRuns: fuzzRuns });
  },
  fuzzTimeout,
);

test(
  'random shard indexes give a model or a PithError, and never ask for a path outside',
  async () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'a.safetensors',
        '../a.safetensors',
        '/a.safetensors',
        'x/../../a.safetensors',
      ),
    );
    const map = fc.dictionary(fc.constantFrom('w', 'b', 'c'), fc.oneof(name, fc.jsonValue()));
    const index = map.map((map) => JSON.stringify({ weight_map: map }));
    const property = fc.asyncProperty(fc.oneof(index, fc.json(), fc.string()), async (index) => {
      const asked: string[] = [];
      const open = () =>
        openShardedSafetensors(index, async (shard) => {
          asked.push(shard);
          return memorySource(file);
        });
      expect(['opened', 'refused']).toContain(await outcome(open, file));
      expect(asked.filter((shard) => /^\/|\\|(^|\/)\.\.(\/|$)/.test(shard))).toEqual([]);
    });
    await fc.assert(property, { numRuns: fuzzRuns });
  },
  fuzzTimeout,
);
