import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { ByteSink, ByteSource } from '../util/byte-source.ts';
import { PithError } from '../util/errors.ts';
import { memorySource } from '../util/memory-source.ts';

/** How many random inputs a fuzz test tries; `npm run fuzz` raises it. */
export const fuzzRuns = Number(process.env['PITH_FUZZ_RUNS'] ?? 150);

/** Time limit for one fuzz test, ms: a run takes well under 5 ms. */
export const fuzzTimeout = 10_000 + fuzzRuns * 5;

/** A sink that keeps what it gets. */
export function collector(): { sink: ByteSink; bytes: () => Uint8Array } {
  let all = new Uint8Array(0);
  const write = async (bytes: Uint8Array) => {
    const grown = new Uint8Array(all.length + bytes.length);
    grown.set(all);
    grown.set(bytes, all.length);
    all = grown;
  };
  return { sink: { write }, bytes: () => all };
}

/** A memory source that fails the test when more is read than `reads` times the file's size. */
export function meteredSource(bytes: Uint8Array, reads: number): ByteSource {
  const source = memorySource(bytes, 'fuzz');
  let left = bytes.length * reads;
  return {
    ...source,
    async read(offset, length) {
      const got = await source.read(offset, length);
      left -= got.length;
      expect(left, 'bytes that may still be read').toBeGreaterThanOrEqual(0);
      return got;
    },
  };
}

/** What a reader makes of damaged bytes; anything but these two is a defect. */
export async function outcome(
  open: (source: ByteSource) => Promise<unknown>,
  bytes: Uint8Array,
): Promise<'opened' | 'refused'> {
  try {
    await open(meteredSource(bytes, 2));
    return 'opened';
  } catch (error) {
    if (error instanceof PithError) return 'refused';
    throw error;
  }
}

/** How many of the files a reader refuses. */
export async function countRefused(
  open: (source: ByteSource) => Promise<unknown>,
  files: Iterable<Uint8Array>,
): Promise<number> {
  let refused = 0;
  for (const bytes of files) if ((await outcome(open, bytes)) === 'refused') refused++;
  return refused;
}

/** The file with each of its first `end` bytes' eight bits flipped in turn. */
export function* bitFlips(file: Uint8Array, end: number): Iterable<Uint8Array> {
  for (let bit = 0; bit < end * 8; bit++) {
    const bytes = file.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    yield bytes;
  }
}

/** The file with a 64-bit integer written over each of its first `end` bytes in turn. */
export function* withInteger(file: Uint8Array, end: number, value: bigint): Iterable<Uint8Array> {
  for (let at = 0; at + 8 <= end; at++) {
    const bytes = file.slice();
    new DataView(bytes.buffer).setBigUint64(at, value, true);
    yield bytes;
  }
}

const hostile = [
  0n,
  1n,
  255n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 60n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Change = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

/** A file with one to four changes: flipped bits, hostile 64-bit integers, bytes cut out or off. */
export function damaged(file: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(file.length - 1);
  const flip = fc.tuple(at, fc.nat(7)).map(([at, bit]): Change => {
    return (bytes) => bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
  });
  const overwrite = fc.tuple(at, fc.constantFrom(...hostile)).map(([at, value]): Change => {
    return (bytes) => {
      const changed = bytes.slice();
      if (at + 8 <= bytes.length) new DataView(changed.buffer).setBigUint64(at, value, true);
      return changed;
    };
  });
  const drop = fc.tuple(at, fc.integer({ min: 1, max: 16 })).map(([at, count]): Change => {
    return (bytes) => Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + count)]);
  });
  const cut = at.map(
    (at): Change =>
      (bytes) =>
        bytes.slice(0, at),
  );
  return fc
    .array(fc.oneof(flip, overwrite, cut, drop), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      let bytes = file.slice();
      for (const change of changes) bytes = change(bytes);
      return bytes;
    });
}
