import type { BlockType } from '../../tensor/block-types.ts';
import { PithError } from '../../util/errors.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { closeOnFailure } from '../../util/closing.ts';
import { storedTensor, type StoredTensor } from '../stored-tensor.ts';
import { alignmentOf, padded } from './alignment.ts';
import { Cursor, WindowTooShort } from './cursor.ts';
import { limits } from './limits.ts';
import type { Metadata } from './metadata.ts';
import { parseEntry } from './parse-metadata.ts';
import { parseTensorEntry, placeTensors } from './parse-tensors.ts';

const magic = 0x46554747;
const firstWindowBytes = 2 ** 20;

/** A GGUF file whose header is read and checked, and whose tensors are read on demand. */
export interface GgufFile {
  readonly name: string;
  readonly version: 2 | 3;
  readonly alignment: number;
  readonly metadata: Metadata;
  /** In the order of the file's tensor table. */
  readonly tensors: ReadonlyMap<string, StoredTensor<BlockType>>;
  /** Bytes of metadata and tensor table, without the padding that follows. */
  readonly headerBytes: number;
  /** Where the data section starts: `headerBytes` rounded up to `alignment`. */
  readonly dataOffset: number;
  close(): Promise<void>;
}

/**
 * Reads and checks the header of a GGUF file, version 2 or 3, little-endian.
 *
 * Only the header is read, in windows that grow from 1 MiB. The source belongs to the file from now
 * on: `close` closes it, and so does this function when it throws.
 *
 * @throws {@link PithError} `corrupt` or `truncated` with the place and the numbers; `unsupported`
 * for version 1, big-endian files and tensor types that Pith does not know.
 * @see docs/gguf.md of ggml. Differs from llama.cpp v0.5.0: tensors may lie in any order, arrays may
 * nest, and a boolean that is neither 0 nor 1 is refused.
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  return closeOnFailure(source, () => readGguf(source));
}

async function readGguf(source: ByteSource): Promise<GgufFile> {
  const cursor = new Cursor(source);
  const entry = <T>(parse: (cursor: Cursor) => T) => parseWidening(source, cursor, parse);
  const head = await entry(parseHead);
  const metadata = await collect(cursor, head.keys, () => entry(parseEntry));
  const alignment = alignmentOf(metadata, (problem) => cursor.corrupt(problem));
  const entries = await collect(cursor, head.tensors, () => entry(parseTensorEntry));
  const headerBytes = cursor.position;
  const dataOffset = padded(headerBytes, alignment);
  const places = placeTensors(cursor, [...entries.values()], { offset: dataOffset, alignment });
  const tensors = new Map(places.map((place) => [place.name, storedTensor(source, place)]));
  const { name } = source;
  const close = () => source.close();
  return {
    name,
    version: head.version,
    alignment,
    metadata,
    tensors,
    headerBytes,
    dataOffset,
    close,
  };
}

/** Runs `parse` from the same position on ever longer windows until the window is long enough. */
async function parseWidening<T>(
  source: ByteSource,
  cursor: Cursor,
  parse: (cursor: Cursor) => T,
): Promise<T> {
  const mark = cursor.mark();
  for (;;) {
    try {
      return parse(cursor);
    } catch (error) {
      if (!(error instanceof WindowTooShort)) throw error;
    }
    const held = cursor.rewind(mark);
    const next = mark.position + held.length;
    const more = Math.min(Math.max(firstWindowBytes, 3 * held.length), source.byteLength - next);
    const window = new Uint8Array(held.length + more);
    window.set(held);
    window.set(await source.read(next, more), held.length);
    cursor.refill(window);
  }
}

async function collect<T>(
  cursor: Cursor,
  count: number,
  next: () => Promise<readonly [string, T]>,
): Promise<Map<string, T>> {
  const values = new Map<string, T>();
  for (let i = 0; i < count; i++) {
    const [name, value] = await next();
    if (values.has(name)) throw cursor.corrupt(`the name "${name}" appears twice.`);
    values.set(name, value);
  }
  return values;
}

function parseHead(cursor: Cursor): { version: 2 | 3; tensors: number; keys: number } {
  if (cursor.fileBytes < 4 || cursor.uint32() !== magic) {
    throw new PithError(
      'corrupt',
      `${cursor.name}: not a GGUF file, it does not begin with the letters GGUF.`,
      'Give a .gguf file; if this is one, it was not downloaded completely (a Git LFS pointer?).',
    );
  }
  const version = cursor.uint32();
  if (version !== 2 && version !== 3) throw badVersion(cursor, version);
  const tensors = cursor.uint64('the number of tensors');
  const keys = cursor.uint64('the number of metadata keys');
  if (Math.max(tensors, keys) > limits.entries) {
    throw cursor.corrupt(
      `the header announces ${tensors} tensors and ${keys} keys; more than ${limits.entries} are refused.`,
    );
  }
  return { version, tensors, keys };
}

function badVersion(cursor: Cursor, version: number): PithError {
  if (version % 65536 === 0 && version !== 0) {
    const problem = `${cursor.name}: the file is big-endian (its version reads as ${version}).`;
    const hint = 'Convert it with gguf-py: gguf-convert-endian FILE little.';
    return new PithError('unsupported', problem, hint);
  }
  return new PithError(
    'unsupported',
    `${cursor.name}: GGUF version ${version}; Pith reads versions 2 and 3.`,
    'Get a newer conversion of the model, or convert it again from its original weights.',
  );
}
