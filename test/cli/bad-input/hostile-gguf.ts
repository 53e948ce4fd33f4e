import { join } from 'node:path';
import { truncate, writeFile } from 'node:fs/promises';
import { ByteBuilder } from '../../../src/formats/gguf/byte-builder.ts';
import { meta, metadataTypes, type MetadataValue } from '../../../src/formats/gguf/metadata.ts';
import { appendEntry, appendText } from '../../../src/formats/gguf/serialize-metadata.ts';

/** Metadata that the model of every case has; a case may change it. */
const llama: readonly (readonly [string, MetadataValue])[] = [
  ['general.architecture', meta.string('llama')],
  ['llama.block_count', meta.uint32(1)],
];

/** One line of a tensor table: sizes innermost first, as in the file. */
export interface RawTensor {
  readonly name?: string;
  readonly sizes?: readonly bigint[];
  readonly type?: number;
  readonly offset?: bigint;
}

/** A GGUF header written by hand, so that it may say anything. */
export interface RawGguf {
  readonly magic?: string;
  readonly version?: number;
  /** What the header announces; the true numbers when left out. */
  readonly tensorCount?: bigint;
  readonly keyCount?: bigint;
  readonly keys?: readonly (readonly [string, MetadataValue])[];
  /** Appended where the next key would begin. */
  readonly rawKey?: (out: ByteBuilder) => void;
  readonly tensors?: readonly RawTensor[];
  /** Zeros after the header. */
  readonly dataBytes?: number;
}

/** The bytes of such a file: one small tensor unless told otherwise. */
export function rawGguf(raw: RawGguf): Uint8Array {
  const { magic = 'GGUF', version = 3, keys = llama, tensors = [{}], dataBytes = 4096 } = raw;
  const keyCount = BigInt(keys.length + (raw.rawKey ? 1 : 0));
  const out = new ByteBuilder();
  out.bytes(new TextEncoder().encode(magic));
  out.uint32(version);
  int64(out, raw.tensorCount ?? BigInt(tensors.length));
  int64(out, raw.keyCount ?? keyCount);
  for (const [key, value] of keys) appendEntry(out, key, value);
  raw.rawKey?.(out);
  for (const tensor of tensors) appendTensor(out, tensor);
  out.pad(32);
  return Buffer.concat([out.finish(), Buffer.alloc(dataBytes)]);
}

/** A vector of 8 F32 numbers at the start of the data unless told otherwise. */
function appendTensor(out: ByteBuilder, tensor: RawTensor): void {
  const { name = 'blk.0.x.weight', sizes = [8n], type = 0, offset = 0n } = tensor;
  appendText(out, name);
  out.uint32(sizes.length);
  for (const size of sizes) int64(out, size);
  out.uint32(type);
  int64(out, offset);
}

/** Appends 64 bits, beyond what a number can hold too. */
export function int64(out: ByteBuilder, value: bigint): void {
  out.scalar(8, (view, at) => view.setBigUint64(at, value, true));
}

/** Appends a key whose value is an array of that type and announced length, without items. */
export function endlessArray(items: keyof typeof metadataTypes, length: bigint) {
  return (out: ByteBuilder): void => {
    appendText(out, 'general.endless');
    out.uint32(metadataTypes.array);
    out.uint32(metadataTypes[items]);
    int64(out, length);
  };
}

/** Writes such a file to `folder/bad.gguf` and returns its path; `sparseBytes` makes it that long. */
export async function writeRaw(
  folder: string,
  raw: RawGguf,
  options: { readonly name?: string; readonly sparseBytes?: number } = {},
): Promise<string> {
  const path = join(folder, options.name ?? 'bad.gguf');
  await writeFile(path, rawGguf(raw));
  if (options.sparseBytes !== undefined) await truncate(path, options.sparseBytes);
  return path;
}
