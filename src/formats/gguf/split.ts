import type { BlockType } from '../../tensor/block-types.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { closeOnFailure } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import type { Metadata } from './metadata.ts';
import { openGguf, type GgufFile } from './open.ts';

/** Keys that say which part of a split model a file is; `openSplitGguf` takes them out. */
export const splitKeys = ['split.no', 'split.count', 'split.tensors.count'] as const;

/** One model from one or more GGUF files. */
export interface SplitGguf {
  readonly name: string;
  /** Those of the first part, without `splitKeys`. */
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, StoredTensor<BlockType>>;
  readonly parts: readonly GgufFile[];
  close(): Promise<void>;
}

/** File name of part `part` (from 0) of `count`, as llama.cpp spells it: `name-00001-of-00003.gguf`. */
export function splitFileName(file: string, part: number, count: number): string {
  return `${file.replace(/\.gguf$/, '')}-${fiveDigits(part + 1)}-of-${fiveDigits(count)}.gguf`;
}

function fiveDigits(value: number): string {
  return String(value).padStart(5, '0');
}

/**
 * Opens a model that llama.cpp or gguf-py split into files `name-00001-of-00003.gguf`; a file that
 * is not split gives itself.
 *
 * @param first - The first part; closed with the others, also when this function throws.
 * @param open - Opens another part by its file name, in the same folder.
 * @throws {@link PithError} `usage` when `first` is another part; `not-found` for a missing part;
 * `corrupt` when parts disagree about their number, tensors repeat or their count is wrong.
 */
export async function openSplitGguf(
  first: ByteSource,
  open: (name: string) => Promise<ByteSource>,
): Promise<SplitGguf> {
  const parts = [await openGguf(first)];
  const close = () => closeAll(parts);
  return closeOnFailure({ close }, async () => {
    const file = parts[0]!;
    const count = numberAt(file, 'split.count') ?? 1;
    for (const name of otherParts(file, count)) {
      parts.push(await openGguf(await openPart(name, count, open)));
    }
    const metadata = new Map(file.metadata);
    for (const key of splitKeys) metadata.delete(key);
    const tensors = count > 1 ? mergeTensors(parts, count) : file.tensors;
    return { name: file.name, metadata, tensors, parts, close };
  });
}

function otherParts(file: GgufFile, count: number): string[] {
  if (count <= 1) return [];
  const [, name, part, of] = /([^/\\]*)-(\d{5})-of-(\d{5})\.gguf(?:$|[?#])/.exec(file.name) ?? [];
  if (name === undefined || Number(of) !== count) {
    throw new PithError(
      'not-found',
      `${file.name} is part of a model in ${count} files, but its name does not lead to the others.`,
      `Name the files ${splitFileName('NAME', 0, count)} and so on.`,
    );
  }
  if (Number(part) !== 1) {
    const hint = `Give the first one: ${splitFileName(name, 0, count)}.`;
    throw new PithError('usage', `${file.name} is part ${Number(part)} of ${count}.`, hint);
  }
  return Array.from({ length: count - 1 }, (_, i) => splitFileName(name, i + 1, count));
}

async function openPart(
  name: string,
  count: number,
  open: (name: string) => Promise<ByteSource>,
): Promise<ByteSource> {
  try {
    return await open(name);
  } catch (error) {
    if (!(error instanceof PithError) || error.code !== 'not-found') throw error;
    const hint = `Put all ${count} parts of the model in one folder.`;
    throw new PithError('not-found', error.message, hint, { cause: error });
  }
}

function mergeTensors(parts: readonly GgufFile[], count: number): SplitGguf['tensors'] {
  const tensors = new Map<string, StoredTensor<BlockType>>();
  for (const [i, part] of parts.entries()) {
    const [no, of] = [numberAt(part, 'split.no'), numberAt(part, 'split.count')];
    if (no !== i || of !== count) {
      throw corrupt(part, `it says it is part ${no} of ${of} (from 0), expected ${i} of ${count}`);
    }
    for (const [name, tensor] of part.tensors) {
      if (tensors.has(name)) throw corrupt(part, `tensor "${name}" is in an earlier part too`);
      tensors.set(name, tensor);
    }
  }
  const announced = numberAt(parts[0]!, 'split.tensors.count') ?? tensors.size;
  if (announced === tensors.size) return tensors;
  throw corrupt(parts[0]!, `it announces ${announced} tensors, but the parts hold ${tensors.size}`);
}

function numberAt(file: GgufFile, key: string): number | undefined {
  const entry = file.metadata.get(key);
  return typeof entry?.value === 'number' ? entry.value : undefined;
}

function corrupt(part: GgufFile, problem: string): PithError {
  const hint = 'Download all parts again, from one and the same revision.';
  return new PithError('corrupt', `${part.name}: ${problem}.`, hint);
}

async function closeAll(files: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(files.map((file) => file.close()));
}
