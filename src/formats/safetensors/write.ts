import type { Dtype } from '../../tensor/dtypes.ts';
import type { ByteSink } from '../../util/byte-source.ts';
import { PithError } from '../../util/errors.ts';
import { tensorBytes, type TensorPlace } from '../stored-tensor.ts';

/** A tensor to be written. */
export interface SafetensorsInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: Dtype;
}

/** Everything about a safetensors file but its weights; `offset` counts from the file's start. */
export interface SafetensorsPlan {
  readonly header: Uint8Array;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorPlace<Dtype>[];
  readonly totalBytes: number;
}

/** The `safetensors` package sorts tensors by dtype, last of these first, so that each is aligned. */
const dtypeOrder: readonly Dtype[] = [
  'BOOL',
  'U8',
  'I8',
  'F8_E5M2',
  'F8_E4M3',
  'F8_E8M0',
  'I16',
  'U16',
  'F16',
  'BF16',
  'I32',
  'U32',
  'F32',
  'F64',
  'I64',
  'U64',
];

/**
 * Lays out a safetensors file: exact header bytes, offsets and size, before any weight is known.
 *
 * Tensors are sorted as the `safetensors` package 0.8.0 sorts them (by dtype, then name); the bytes
 * equal its own (test/golden/formats).
 *
 * @throws {@link PithError} `unsupported` when two tensors share a name or one is `__metadata__`.
 */
export function planSafetensors(
  tensors: readonly SafetensorsInfo[],
  metadata: ReadonlyMap<string, string> = new Map(),
): SafetensorsPlan {
  const inOrder = tensors.toSorted((a, b) => dtypeRank(b) - dtypeRank(a) || byName(a, b));
  const entries: [string, unknown][] = metadata.size
    ? [['__metadata__', Object.fromEntries(metadata)]]
    : [];
  const names = new Set(['__metadata__']);
  let end = 0;
  const places = inOrder.map(({ name, shape, type }) => {
    if (names.has(name)) throw new PithError('unsupported', `"${name}" is taken as a tensor name.`);
    names.add(name);
    const byteLength = tensorBytes(name, shape, type);
    const place = { name, shape, type, offset: end, byteLength };
    end += byteLength;
    entries.push([name, { dtype: type, shape, data_offsets: [place.offset, end] }]);
    return place;
  });
  const header = serializeHeader(entries);
  const planned = places.map((place) => ({ ...place, offset: header.length + place.offset }));
  return { header, tensors: planned, totalBytes: header.length + end };
}

/** Written entry by entry, because a JavaScript object would move names like "0" to the front. */
function serializeHeader(entries: readonly (readonly [string, unknown])[]): Uint8Array {
  const texts = entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  const json = new TextEncoder().encode(`{${texts.join(',')}}`);
  const paddedLength = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + paddedLength).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(paddedLength), true);
  header.set(json, 8);
  return header;
}

function dtypeRank({ type }: SafetensorsInfo): number {
  return dtypeOrder.indexOf(type);
}

function byName(a: SafetensorsInfo, b: SafetensorsInfo): number {
  return a.name < b.name ? -1 : 1;
}

/**
 * Streams a planned safetensors file.
 *
 * @param chunksOf - Yields the bytes of one tensor, in order, in chunks of any size.
 * @throws {@link PithError} `shape` when a tensor yields more or fewer bytes than planned.
 */
export async function writeSafetensors(
  plan: SafetensorsPlan,
  sink: ByteSink,
  chunksOf: (tensor: SafetensorsInfo) => AsyncIterable<Uint8Array>,
): Promise<void> {
  await sink.write(plan.header);
  for (const tensor of plan.tensors) {
    let written = 0;
    for await (const chunk of chunksOf(tensor)) {
      written += chunk.length;
      await sink.write(chunk);
    }
    if (written !== tensor.byteLength) {
      const numbers = `planned ${tensor.byteLength} bytes, but got ${written}`;
      throw new PithError('shape', `${tensor.name}: ${numbers}.`);
    }
  }
}
