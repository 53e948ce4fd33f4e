import { expect, test } from 'vitest';
import { meteredSource } from '../bytes.cases.ts';
import { memorySource } from '../../util/memory-source.ts';
import { ByteBuilder } from './byte-builder.ts';
import { meta, type MetadataArray, type MetadataValue } from './metadata.ts';
import { openGguf } from './open.ts';
import { ggufBytes, sampleMetadata } from './sample.cases.ts';
import { appendText } from './serialize-metadata.ts';

const open = (bytes: Uint8Array) => openGguf(memorySource(bytes, 'x.gguf'));

/** A header by hand: magic, version and counts, then whatever `rest` appends. */
function header(
  rest: (out: ByteBuilder) => void,
  { version = 3, tensors = 0, keys = 0 }: { version?: number; tensors?: number; keys?: number },
): Uint8Array {
  const out = new ByteBuilder();
  out.uint32(0x46554747);
  out.uint32(version);
  out.uint64(tensors);
  out.uint64(keys);
  rest(out);
  return out.finish().slice();
}

function appendTensor(
  out: ByteBuilder,
  name: string,
  dims: number[],
  typeAndOffset: number[],
): void {
  appendText(out, name);
  out.uint32(dims.length);
  for (const size of dims) out.uint64(size);
  out.uint32(typeAndOffset[0]!);
  out.uint64(typeAndOffset[1]!);
}

/** A file of F32 vectors of 8 weights, 32 bytes each, at the given offsets. */
function vectors(offsets: readonly number[], dataBytes: number): Uint8Array {
  return header(
    (out) => {
      offsets.forEach((offset, i) => appendTensor(out, `t${i}`, [8], [0, offset]));
      out.pad(32);
      out.bytes(new Uint8Array(dataBytes));
    },
    { tensors: offsets.length },
  );
}

test('metadata of every kind comes back as it was written, numbers in typed arrays', async () => {
  const { metadata, alignment, version } = await open(await ggufBytes());
  expect([version, alignment, metadata.size]).toEqual([3, 32, sampleMetadata.size]);
  expect(metadata.get('scores')?.value).toEqual(Float32Array.of(0.5, -1));
  expect(metadata.get('bigs')?.value).toEqual(BigInt64Array.of(-1n, 5n));
  expect(metadata.get('big')).toEqual({ type: 'uint64', value: 2n ** 63n });
  expect((metadata.get('nested')!.value as MetadataArray[])[0]!.value).toEqual(Uint8Array.of(1, 2));
  for (const key of ['tokens', 'flags', 'yes', 'half']) {
    expect(metadata.get(key)).toEqual(sampleMetadata.get(key));
  }
});

test('shapes are row-major, and rows are read from their place', async () => {
  const { tensors } = await open(await ggufBytes());
  const [a, b, c] = ['a', 'b', 'c'].map((name) => tensors.get(name)!);
  expect([a?.shape, b?.shape, c?.shape]).toEqual([[3, 64], [5], [2, 3, 3]]);
  expect(a!.byteLength).toBe(3 * 2 * 34);
  expect((await a!.read(1, 2))[0]).toBe(68);
  expect(await c!.read(5, 1)).toEqual(Uint8Array.of(30, 31, 32, 33, 34, 35));
  expect(await b!.read(1, 0)).toEqual(new Uint8Array(0));
  await expect(a!.read(2, 2)).rejects.toMatchObject({
    code: 'shape',
    message: 'a: asked for rows 2 to 4, but it has 3.',
  });
});

test('version 2 has the same layout as 3', async () => {
  const bytes = await ggufBytes();
  bytes[4] = 2;
  const file = await open(bytes);
  expect([file.version, file.tensors.size]).toEqual([2, 3]);
});

test.each([
  [1, 'unsupported', 'GGUF version 1'],
  [4, 'unsupported', 'GGUF version 4'],
  [0, 'unsupported', 'GGUF version 0'],
  [0x03000000, 'unsupported', 'big-endian'],
])('version field %i is %s', async (version, code, message) => {
  await expect(open(header(() => {}, { version }))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('a file that is not GGUF is told from one that is cut short', async () => {
  const pointer = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1');
  await expect(open(pointer)).rejects.toMatchObject({
    code: 'corrupt',
    hint: expect.stringContaining('Git LFS pointer'),
  });
});

test('10^9 tensors, a string of 2^63 bytes and an array of 2^60 are corrupt at once', async () => {
  const files = [
    header(() => {}, { tensors: 1e9 }),
    header((out) => out.scalar(8, (view, at) => view.setBigUint64(at, 2n ** 63n, true)), {
      keys: 1,
    }),
    header(
      (out) => {
        appendText(out, 'key');
        out.uint32(9);
        out.uint32(8);
        out.uint64(2 ** 60);
      },
      { keys: 1 },
    ),
  ];
  const start = performance.now();
  for (const bytes of files) await expect(open(bytes)).rejects.toMatchObject({ code: 'corrupt' });
  expect(performance.now() - start).toBeLessThan(1000);
});

test('more than 2^24 strings or booleans are refused before they take memory', async () => {
  const count = 2 ** 24 + 1;
  const bytes = header(
    (out) => {
      appendText(out, 'key');
      out.uint32(9);
      out.uint32(7);
      out.uint64(count);
      out.bytes(new Uint8Array(count));
    },
    { keys: 1 },
  );
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('more than 16777216'),
  });
});

test('arrays nested nine deep are refused, eight deep are read', async () => {
  const nest = (depth: number): MetadataArray =>
    depth === 1
      ? { type: 'array', items: 'uint8', value: [1] }
      : { type: 'array', items: 'array', value: [nest(depth - 1)] };
  expect((await open(await ggufBytes(new Map([['n', nest(8)]]), []))).metadata.size).toBe(1);
  await expect(open(await ggufBytes(new Map([['n', nest(9)]]), []))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('deeper than 8'),
  });
});

test('ggml type 4, which ggml removed, is unsupported and named', async () => {
  const bytes = header((out) => appendTensor(out, 't', [32], [4, 0]), { tensors: 1 });
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('ggml type 4'),
  });
});

test.each([
  ['five dimensions', [1, 1, 1, 1, 1], 0, 'has 5 dimensions'],
  ['a row of 33 in Q8_0', [33], 8, 'rows of 33 weights, not a multiple of 32'],
  ['more than 2^53 bytes', [2 ** 30, 2 ** 30], 0, 'beyond 2^53'],
])('a tensor with %s is corrupt', async (_, dims, type, message) => {
  const bytes = header((out) => appendTensor(out, 't', dims, [type, 0]), { tensors: 1 });
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(message),
  });
});

test('tensors may lie in any order and with gaps, but not overlap, lean or stick out', async () => {
  expect((await open(vectors([64, 0], 96))).tensors.size).toBe(2);
  await expect(open(vectors([0, 0], 96))).rejects.toMatchObject({ code: 'corrupt' });
  await expect(open(vectors([0, 40], 96))).rejects.toMatchObject({
    message: expect.stringContaining('not a multiple of 32'),
  });
  await expect(open(vectors([0, 64], 95))).rejects.toMatchObject({ code: 'truncated' });
});

test('a file without tensors, as a vocabulary alone is, may end right after its keys', async () => {
  const bytes = header(() => {}, { tensors: 0, keys: 0 });
  expect(bytes).toHaveLength(24);
  expect((await open(bytes)).tensors.size).toBe(0);
});

test('a key and a tensor name may appear once', async () => {
  const keys = header(
    (out) => {
      for (let i = 0; i < 2; i++) {
        appendText(out, 'same');
        out.uint32(0);
        out.bytes(Uint8Array.of(1));
      }
    },
    { keys: 2 },
  );
  const tensors = header(
    (out) => {
      appendTensor(out, 'same', [0], [0, 0]);
      appendTensor(out, 'same', [0], [0, 0]);
    },
    { tensors: 2 },
  );
  for (const bytes of [keys, tensors]) {
    await expect(open(bytes)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('"same" appears twice'),
    });
  }
});

test.each([
  [meta.uint32(0), 'no power of two'],
  [meta.uint32(48), 'no power of two'],
  [meta.uint32(2 ** 31), 'up to 65536'],
  [meta.string('32'), 'must be a uint32'],
])('general.alignment of %o is refused by the reader', async (value, message) => {
  const out = new ByteBuilder();
  out.bytes(await ggufBytes(new Map([['general.alignmenX', value]]), []));
  const bytes = out.finish().slice();
  const at = new TextDecoder('latin1').decode(bytes).indexOf('alignmenX');
  bytes[at + 8] = 't'.charCodeAt(0);
  await expect(open(bytes)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(message),
  });
});

test('a header of 3 MB is read in two windows, the data section not at all', async () => {
  const metadata = new Map<string, MetadataValue>([
    ['tokens', meta.strings(Array.from({ length: 150_000 }, (_, i) => `token ${i}`))],
    ['scores', meta.float32s(new Float32Array(150_000).fill(0.5))],
  ]);
  const bytes = await ggufBytes(metadata, [{ name: 'big', shape: [2 ** 18], type: 'F32' }]);
  const reads: number[] = [];
  const source = meteredSource(bytes, 1);
  const file = await openGguf({
    ...source,
    read: (offset, length) => {
      reads.push(length);
      return source.read(offset, length);
    },
  });
  expect(file.headerBytes).toBeGreaterThan(2.5 * 2 ** 20);
  expect(reads.length).toBe(2);
  expect((file.metadata.get('tokens')!.value as string[]).at(-1)).toBe('token 149999');
});

test('the source is closed when its header is refused', async () => {
  let closed = 0;
  const source = memorySource(new Uint8Array(100));
  await expect(openGguf({ ...source, close: async () => void closed++ })).rejects.toThrow('GGUF');
  expect(closed).toBe(1);
});
