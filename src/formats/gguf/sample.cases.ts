import { collector } from '../bytes.cases.ts';
import { meta, type Metadata, type MetadataValue } from './metadata.ts';
import { planGguf, type GgufTensorInfo } from './plan.ts';
import { writeGguf } from './write.ts';

/** Metadata of every type, small. */
export const sampleMetadata: Metadata = new Map<string, MetadataValue>([
  ['general.architecture', meta.string('llama')],
  ['general.alignment', meta.uint32(32)],
  ['tokens', meta.strings(['<s>', 'Ġthe', '🙂', ''])],
  ['scores', meta.float32s([0.5, -1])],
  ['types', meta.int32s([1, 3])],
  ['flags', { type: 'array', items: 'bool', value: [true, false] }],
  ['big', { type: 'uint64', value: 2n ** 63n }],
  ['bigs', { type: 'array', items: 'int64', value: [-1n, 5n] }],
  [
    'nested',
    { type: 'array', items: 'array', value: [{ type: 'array', items: 'uint8', value: [1, 2] }] },
  ],
  ['half', { type: 'float64', value: 0.5 }],
  ['yes', meta.bool(true)],
]);

/** Tensors of one to three dimensions; the last byte length, 36, is no multiple of 32. */
export const sampleTensors: readonly GgufTensorInfo[] = [
  { name: 'a', shape: [3, 64], type: 'Q8_0' },
  { name: 'b', shape: [5], type: 'F32' },
  { name: 'c', shape: [2, 3, 3], type: 'F16' },
];

/** A whole small file; tensor bytes count up from 0. */
export async function ggufBytes(
  metadata: Metadata = sampleMetadata,
  tensors: readonly GgufTensorInfo[] = sampleTensors,
): Promise<Uint8Array> {
  const plan = planGguf(metadata, tensors);
  const { sink, bytes } = collector();
  await writeGguf(plan, sink, async function* ({ byteLength }) {
    yield Uint8Array.from({ length: byteLength }, (_, i) => i % 256);
  });
  return bytes();
}
