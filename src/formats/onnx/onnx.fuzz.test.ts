import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ByteSource } from '../../util/byte-source.ts';
import { memorySource } from '../../util/memory-source.ts';
import {
  bitFlips,
  countRefused,
  damaged,
  fuzzRuns,
  fuzzTimeout,
  outcome,
  withInteger,
} from '../bytes.cases.ts';
import { encodeMessage } from './encode.ts';
import { readOnnx } from './read.ts';
import { sampleModel } from './sample.cases.ts';
import { writeOnnx } from './write.ts';

const file = await writeOnnx(sampleModel());
const weights = memorySource(new Uint8Array(64), 'weights');
const open = (source: ByteSource) => readOnnx(source, async () => weights);

test('a file cut anywhere but between fields of the model is refused', async () => {
  const lengths = Array.from({ length: file.length }, (_, length) => file.slice(0, length));
  expect(await countRefused(open, lengths)).toBe(file.length);
});

test.each([2n ** 64n - 1n, 2n ** 53n, 0n])(
  'the integer %i over every byte gives a model or a PithError',
  async (value) => {
    expect(await countRefused(open, withInteger(file, file.length, value))).toBeGreaterThan(
      file.length / 2,
    );
  },
);

test('every flipped bit gives a model or a PithError', async () => {
  expect(await countRefused(open, bitFlips(file, file.length))).toBeGreaterThan(file.length);
});

test(
  'damaged files, models of random fields and random bytes give a model or a PithError',
  async () => {
    const number = fc.oneof(
      fc.bigInt({ min: -3n, max: 30n }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    const bytes = fc.uint8Array({ maxLength: 24 });
    const text = fc.oneof(
      fc.constantFrom('location', 'offset', 'length', '../x', 'w', '8'),
      fc.string(),
    );
    const entry = fc.record({ key: text, value: text }, { requiredKeys: [] });
    const tensor = fc.record(
      {
        dims: fc.array(number, { maxLength: 4 }),
        dataType: number,
        dataLocation: fc.constantFrom(0n, 1n),
        externalData: fc.array(entry),
        rawData: bytes,
        floatData: fc.array(bytes, { maxLength: 2 }),
        int32Data: fc.array(bytes, { maxLength: 2 }),
        int64Data: fc.array(bytes, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    );
    const attribute = fc.record(
      { type: number, int: number, string: text, ints: fc.array(number), tensor },
      { requiredKeys: [] },
    );
    const node = fc.record({ opType: text, attributes: fc.array(attribute, { maxLength: 3 }) });
    const graph = fc.record({
      nodes: fc.array(node, { maxLength: 3 }),
      initializers: fc.array(tensor, { maxLength: 3 }),
    });
    const model = fc
      .record({ irVersion: number, graph })
      .map((model) => encodeMessage('Model', model));
    const property = fc.asyncProperty(
      fc.oneof(damaged(file), model, fc.uint8Array()),
      async (bytes) => {
        expect(['opened', 'refused']).toContain(await outcome(open, bytes));
      },
    );
    await fc.assert(property, { numRuns: fuzzRuns });
  },
  fuzzTimeout,
);
