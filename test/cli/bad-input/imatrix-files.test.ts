import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { meta, type MetadataValue } from '../../../src/formats/gguf/metadata.ts';
import { planGguf } from '../../../src/formats/gguf/plan.ts';
import { outcomeOf, refused, type Refusal } from './refusal.ts';
import { quantizeTiny } from './tiny-model.ts';

/** Sums of squares and one count for each named tensor. */
type Entries = Readonly<
  Record<string, { readonly sums: readonly number[]; readonly count: number }>
>;

const columns = 256;
const ones = Array.from({ length: columns }, () => 1);

/** The bytes of an importance matrix as llama-imatrix writes it. */
function imatrixBytes(entries: Entries, type = 'imatrix'): Uint8Array {
  const values = Object.entries(entries).flatMap(([name, { sums, count }]) => [
    { name: `${name}.in_sum2`, values: Float32Array.from(sums) },
    { name: `${name}.counts`, values: Float32Array.of(count) },
  ]);
  const metadata = new Map<string, MetadataValue>([['general.type', meta.string(type)]]);
  const infos = values.map(({ name, values: { length } }) => ({
    name,
    shape: [1, length],
    type: 'F32' as const,
  }));
  const { header, tensors, totalBytes } = planGguf(metadata, infos);
  const bytes = new Uint8Array(totalBytes);
  bytes.set(header);
  for (const [at, { offset }] of tensors.entries()) {
    bytes.set(new Uint8Array(values[at]!.values.buffer), offset);
  }
  return bytes;
}

/** A case about the bytes of one file given with --imatrix. */
function imatrix(
  title: string,
  code: Refusal['code'],
  says: Refusal['says'],
  bytes: Uint8Array | string,
): Refusal {
  const make = async (folder: string) => {
    await writeFile(join(folder, 'im.gguf'), bytes);
    return [...(await quantizeTiny(folder, {})), '--imatrix', join(folder, 'im.gguf')];
  };
  return { title, code, says, make };
}

const up = 'blk.0.ffn_up.weight';
const good: Entries = { [up]: { sums: ones, count: 10 } };

function with7(value: number): Entries {
  return { [up]: { sums: ones.with(7, value), count: 10 } };
}

/** One number of 32 bits after another, as in llama-imatrix's older form. */
function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

const contents: readonly Refusal[] = [
  imatrix(
    'that of another model',
    'not-found',
    ['1 tensors, none of them in', 'this very model'],
    imatrixBytes({ 'blk.7.ffn_up.weight': good[up]! }),
  ),
  imatrix(
    'that of a wider model',
    'shape',
    ['1 × 256', '512'],
    imatrixBytes({ [up]: { sums: [...ones, ...ones], count: 10 } }),
  ),
  imatrix('NaN', 'not-finite', [/ffn_up\.weight is NaN at position 7/], imatrixBytes(with7(NaN))),
  imatrix('infinity', 'not-finite', ['Infinity at position 7'], imatrixBytes(with7(Infinity))),
  imatrix('a negative sum of squares', 'corrupt', ['-1 at position 7'], imatrixBytes(with7(-1))),
  imatrix(
    'a count that is NaN',
    'not-finite',
    ['NaN'],
    imatrixBytes({ [up]: { sums: ones, count: NaN } }),
  ),
  imatrix(
    'a GGUF file of another kind',
    'unsupported',
    ['no importance matrix', 'llama-imatrix'],
    imatrixBytes(good, 'model'),
  ),
  imatrix('one cut short', 'truncated', [/ends at byte/], imatrixBytes(good).subarray(0, -100)),
  imatrix('a text', 'corrupt', ['is no importance matrix', 'llama-imatrix'], 'once upon a time'),
  imatrix('an empty file', 'corrupt', ['0'], ''),
  imatrix('2^31 - 1 entries in the older form', 'corrupt', ['2147483647'], words(2 ** 31 - 1)),
  imatrix(
    'a name of 2^31 - 1 letters in the older form',
    'corrupt',
    ['2147483647'],
    words(1, 2 ** 31 - 1),
  ),
  imatrix(
    '2^31 - 1 values in the older form',
    'corrupt',
    ['2147483647'],
    words(1, 4, 0, 10, 2 ** 31 - 1),
  ),
];

const paths: readonly Refusal[] = [
  {
    title: 'a file that is not there',
    code: 'not-found',
    says: ['missing.gguf'],
    make: async (folder) => [
      ...(await quantizeTiny(folder, {})),
      '--imatrix',
      join(folder, 'missing.gguf'),
    ],
  },
  {
    title: 'a folder',
    code: 'io',
    says: ['is a folder'],
    make: async (folder) => [...(await quantizeTiny(folder, {})), '--imatrix', folder],
  },
  {
    title: 'a file of 1 TB',
    code: 'unsupported',
    says: ['1099511627776 bytes'],
    async make(folder) {
      await writeFile(join(folder, 'im.dat'), '');
      await truncate(join(folder, 'im.dat'), 2 ** 40);
      return [...(await quantizeTiny(folder, {})), '--imatrix', join(folder, 'im.dat')];
    },
  },
  {
    title: 'the importance matrix as output, with --force',
    code: 'conflict',
    says: ['is the input', 'im.gguf itself'],
    async make(folder) {
      const path = join(folder, 'im.gguf');
      await writeFile(path, imatrixBytes(good));
      const args = await quantizeTiny(folder, {});
      return [...args, '--imatrix', path, '--force', '-o', path];
    },
  },
];

test.concurrent.each([...contents, ...paths])('--imatrix: $title', async (refusal) => {
  expect(await outcomeOf(refusal)).toEqual(refused(refusal));
});
