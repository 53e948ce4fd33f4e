import { blockTypes, type BlockType } from '../../tensor/block-types.ts';
import { PithError } from '../../util/errors.ts';
import { tensorBytes } from '../stored-tensor.ts';
import { alignmentOf, padded } from './alignment.ts';
import { ByteBuilder } from './byte-builder.ts';
import { limits } from './limits.ts';
import type { Metadata } from './metadata.ts';
import { appendEntry, appendText } from './serialize-metadata.ts';
import { encodeText } from './text.ts';

const magic = 0x46554747;
const version = 3;

/** A tensor to be written. */
export interface GgufTensorInfo {
  readonly name: string;
  /** Row-major, `[out, in]`. */
  readonly shape: readonly number[];
  readonly type: BlockType;
}

/** Where a tensor will lie in the file that is to be written. */
export interface PlannedTensor extends GgufTensorInfo {
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /** `byteLength` and the zeros after it. */
  readonly paddedLength: number;
}

/** Everything about a GGUF file but its weights. */
export interface GgufPlan {
  /** Metadata, tensor table and the padding after them: the first bytes of the file. */
  readonly header: Uint8Array;
  readonly tensors: readonly PlannedTensor[];
  readonly totalBytes: number;
}

/**
 * Lays out a GGUF version 3 file: exact header bytes, offsets and size, before any weight is known.
 *
 * Keys and tensors keep the caller's order; alignment is `general.alignment`, 32 without it.
 *
 * @throws {@link PithError} `shape` when blocks do not divide a tensor's rows; `unsupported` for
 * what llama.cpp would not load (names over 63 bytes, five dimensions, a name given twice).
 * @remarks Bytes are those of gguf-py 0.19.0 (test/golden/formats) and of llama.cpp v0.5.0, which
 * drops leading dimensions of 1 when it rewrites a file; like gguf-py, we keep them.
 */
export function planGguf(metadata: Metadata, tensors: readonly GgufTensorInfo[]): GgufPlan {
  const alignment = alignmentOf(
    metadata,
    (problem) =>
      new PithError('unsupported', problem, 'Set general.alignment to 32, or leave it out.'),
  );
  const out = new ByteBuilder();
  out.uint32(magic);
  out.uint32(version);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) appendEntry(out, key, value);
  const places = layOut(tensors, alignment);
  for (const place of places) appendTensor(out, place);
  out.pad(alignment);
  const header = out.finish();
  const planned = places.map((place) => ({ ...place, offset: header.length + place.offset }));
  const last = planned.at(-1);
  const totalBytes = last ? last.offset + last.paddedLength : header.length;
  return { header, tensors: planned, totalBytes };
}

/** Offsets count from the data section here. */
function layOut(tensors: readonly GgufTensorInfo[], alignment: number): PlannedTensor[] {
  const names = new Set<string>();
  let offset = 0;
  return tensors.map((tensor) => {
    const { name, shape, type } = tensor;
    if (names.has(name)) throw taken(name);
    names.add(name);
    checkLoadable(tensor);
    const byteLength = tensorBytes(name, shape, type);
    const paddedLength = padded(byteLength, alignment);
    const place = { name, shape, type, offset, byteLength, paddedLength };
    offset += paddedLength;
    return place;
  });
}

function appendTensor(out: ByteBuilder, { name, shape, type, offset }: PlannedTensor): void {
  appendText(out, name);
  out.uint32(shape.length);
  for (const size of shape.toReversed()) out.uint64(size);
  out.uint32(blockTypes[type].id);
  out.uint64(offset);
}

function taken(name: string): PithError {
  const hint = 'Rename one of them.';
  return new PithError('unsupported', `Two tensors are named "${name}".`, hint);
}

function checkLoadable({ name, shape }: GgufTensorInfo): void {
  const nameBytes = encodeText(name).length;
  if (nameBytes > limits.nameBytes) {
    const problem = `The name "${name}" has ${nameBytes} bytes; llama.cpp loads ${limits.nameBytes}.`;
    throw new PithError('unsupported', problem, 'Give the tensor a shorter name.');
  }
  if (shape.length > limits.dimensions) {
    const problem = `${name}: shape [${shape.join(', ')}] has more than ${limits.dimensions} dimensions.`;
    throw new PithError('unsupported', problem, 'Flatten the leading dimensions first.');
  }
}
