import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { meta } from '../../../src/formats/gguf/metadata.ts';
import { appendText } from '../../../src/formats/gguf/serialize-metadata.ts';
import { endlessArray, int64, writeRaw, type RawGguf } from './hostile-gguf.ts';
import { outcomeOf, refused, type Refusal } from './refusal.ts';
import { quantizeTo } from './tiny-model.ts';

/** A case about one hand-written GGUF file that is to be quantized. */
function raw(title: string, code: Refusal['code'], says: Refusal['says'], file: RawGguf): Refusal {
  return {
    title,
    code,
    says,
    make: async (folder) => quantizeTo(folder, await writeRaw(folder, file)),
  };
}

const huge = 2n ** 63n;
const q8Row = [32n, 2n] as const;

const headers: readonly Refusal[] = [
  raw('another file type', 'corrupt', ['letters GGUF', 'Git LFS'], { magic: 'PK\u0003\u0004' }),
  raw('version 1', 'unsupported', ['version 1', '2 and 3'], { version: 1 }),
  raw('version 4', 'unsupported', ['version 4'], { version: 4 }),
  raw('big-endian', 'unsupported', ['big-endian', 'gguf-convert-endian'], { version: 0x03000000 }),
  raw('10^9 tensors', 'corrupt', ['1000000000'], { tensorCount: 10n ** 9n }),
  raw('2^63 tensors', 'corrupt', ['9223372036854775808'], { tensorCount: huge }),
  raw('2^63 keys', 'corrupt', ['9223372036854775808'], { keyCount: huge }),
  raw('10^6 keys in 4 kB', 'corrupt', ['a metadata key is empty'], {
    keyCount: 10n ** 6n,
    dataBytes: 0,
  }),
  raw('a string of 2^63 bytes', 'corrupt', ['9223372036854775808'], {
    rawKey: (out) => int64(out, huge),
  }),
  raw('a string of 200 MB in 4 kB', 'truncated', ['200000000'], {
    rawKey: (out) => int64(out, 200_000_000n),
  }),
  raw('an array of 2^63 strings', 'corrupt', ['9223372036854775808'], {
    rawKey: endlessArray('string', huge),
  }),
  raw('an array of 10^9 numbers', 'corrupt', ['1000000000'], {
    rawKey: endlessArray('float32', 10n ** 9n),
  }),
  raw('an array of 10^6 booleans in 4 kB', 'truncated', ['1000000'], {
    rawKey: endlessArray('bool', 10n ** 6n),
  }),
  raw('a value of an unknown type', 'corrupt', ['the unknown value type 77'], {
    rawKey(out) {
      appendText(out, 'general.secret');
      out.uint32(77);
    },
  }),
  raw('a key that comes twice', 'corrupt', ['general.name', 'twice'], {
    keys: [
      ['general.name', meta.string('a')],
      ['general.name', meta.string('b')],
    ],
  }),
  raw('no architecture', 'unsupported', ['architecture unknown'], { keys: [] }),
  raw('an adapter', 'unsupported', ['adapter'], {
    keys: [
      ['general.type', meta.string('adapter')],
      ['general.architecture', meta.string('llama')],
    ],
  }),
  raw('an alignment of 3', 'corrupt', ['general.alignment is 3'], {
    keys: [['general.alignment', meta.uint32(3)]],
  }),
  raw('an alignment of 2^31', 'corrupt', ['2147483648'], {
    keys: [['general.alignment', meta.uint32(2 ** 31)]],
    tensors: [],
  }),
];

const tables: readonly Refusal[] = [
  raw('a tensor of an unknown type', 'unsupported', ['ggml type 999'], {
    tensors: [{ type: 999 }],
  }),
  raw('a tensor of 2^63 weights', 'corrupt', ['2^53'], {
    tensors: [{ sizes: [2n ** 31n, 2n ** 32n] }],
  }),
  raw('a side of 2^63', 'corrupt', ['9223372036854775808'], { tensors: [{ sizes: [huge] }] }),
  raw('2^32 - 1 dimensions', 'corrupt', ['9 dimensions'], {
    tensors: [{ sizes: Array.from({ length: 9 }, () => 1n) }],
  }),
  raw('a tensor that begins at 2^63', 'corrupt', ['9223372036854775808'], {
    tensors: [{ offset: huge }],
  }),
  raw('a tensor that begins behind the end', 'truncated', ['1099511627968'], {
    tensors: [{ offset: 2n ** 40n }],
  }),
  raw('a tensor that begins at an odd byte', 'corrupt', ['starts at 33'], {
    tensors: [{ offset: 33n }],
  }),
  raw('a tensor larger than the file', 'truncated', [/ends at byte \d+, but the file has \d+/], {
    tensors: [{ sizes: [4096n, 4096n] }],
  }),
  raw('tensors that lie on each other', 'corrupt', ['inside another one'], {
    tensors: [{ name: 'a' }, { name: 'b' }],
  }),
  raw('a tensor named twice', 'corrupt', ['twice'], { tensors: [{}, { offset: 32n }] }),
  raw('rows that blocks do not divide', 'corrupt', ['31', '32'], {
    tensors: [{ sizes: [31n, 2n], type: 8 }],
  }),
  raw('a name that llama.cpp cannot load', 'unsupported', ['100 bytes', '63'], {
    tensors: [{ name: 'n'.repeat(100) }],
  }),
];

const splits: readonly Refusal[] = [
  {
    title: 'a split model without its second part',
    code: 'not-found',
    says: ['model-00002-of-00002.gguf', 'all 2 parts'],
    make: async (folder) => quantizeTo(folder, await split(folder, 'model-00001-of-00002.gguf', 2)),
  },
  {
    title: 'the second part in place of the first',
    code: 'usage',
    says: ['part 2 of 2', 'model-00001-of-00002.gguf'],
    make: async (folder) => quantizeTo(folder, await split(folder, 'model-00002-of-00002.gguf', 2)),
  },
  {
    title: 'a part whose name leads nowhere',
    code: 'not-found',
    says: ['65535 files', 'Name the files'],
    make: async (folder) => quantizeTo(folder, await split(folder, 'renamed.gguf', 65535)),
  },
];

function split(folder: string, name: string, count: number): Promise<string> {
  const keys = [
    ['general.architecture', meta.string('llama')],
    ['split.no', meta.uint16(0)],
    ['split.count', meta.uint16(count)],
  ] as const;
  return writeRaw(folder, { keys }, { name });
}

const paths: readonly Refusal[] = [
  {
    title: 'a file that is not there',
    code: 'not-found',
    says: ['missing.gguf', 'sample'],
    make: (folder) => quantizeTo(folder, join(folder, 'missing.gguf')),
  },
  {
    title: 'an empty file',
    code: 'corrupt',
    says: ['not a GGUF file'],
    async make(folder) {
      await writeFile(join(folder, 'empty.gguf'), '');
      return quantizeTo(folder, join(folder, 'empty.gguf'));
    },
  },
  {
    title: 'a folder named like a file',
    code: 'not-found',
    says: ['config.json'],
    async make(folder) {
      await mkdir(join(folder, 'x.gguf'));
      return quantizeTo(folder, join(folder, 'x.gguf'));
    },
  },
  {
    title: 'a named pipe',
    code: 'io',
    says: ['not a file but a pipe'],
    make(folder) {
      execFileSync('mkfifo', [join(folder, 'x.gguf')]);
      return quantizeTo(folder, join(folder, 'x.gguf'));
    },
  },
  {
    title: 'a device',
    code: 'io',
    says: ['not a file but a pipe, socket or device'],
    async make(folder) {
      await symlink('/dev/zero', join(folder, 'x.gguf'));
      return quantizeTo(folder, join(folder, 'x.gguf'));
    },
  },
  {
    title: 'links that lead in a circle',
    code: 'io',
    says: ['circle'],
    async make(folder) {
      await symlink('b.gguf', join(folder, 'a.gguf'));
      await symlink('a.gguf', join(folder, 'b.gguf'));
      return quantizeTo(folder, join(folder, 'a.gguf'));
    },
  },
  {
    title: 'a sparse file of 8 TB with a tensor of 8 TB',
    code: 'no-space',
    says: [/needs 8796\d{9} bytes/, /Free \d+ bytes more/],
    make: async (folder) =>
      quantizeTo(
        folder,
        await writeRaw(
          folder,
          { tensors: [{ name: 'blk.0.attn_q.weight', sizes: [4096n, 2n ** 31n], type: 24 }] },
          { sparseBytes: 2 ** 43 + 4096 },
        ),
      ),
  },
  {
    title: 'a row of 1 TB',
    code: 'unsupported',
    says: ['1099511627776 bytes at once'],
    make: async (folder) =>
      quantizeTo(
        folder,
        await writeRaw(
          folder,
          { tensors: [{ sizes: [2n ** 40n], type: 24 }] },
          { sparseBytes: 2 ** 40 + 4096 },
        ),
      ),
  },
  {
    title: 'a Q8_0 matrix whose rows are not there',
    code: 'truncated',
    says: [/ends at byte/],
    make: async (folder) =>
      quantizeTo(
        folder,
        await writeRaw(folder, { tensors: [{ sizes: q8Row, type: 8 }], dataBytes: 0 }),
      ),
  },
];

test.concurrent.each([...headers, ...tables, ...splits, ...paths])('$title', async (refusal) => {
  expect(await outcomeOf(refusal)).toEqual(refused(refusal));
});
