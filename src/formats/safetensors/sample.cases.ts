import { collector } from '../bytes.cases.ts';
import { planSafetensors, writeSafetensors, type SafetensorsInfo } from './write.ts';

/** A matrix, a vector, a scalar and an empty tensor. */
const sampleTensors: readonly SafetensorsInfo[] = [
  { name: 'w', shape: [3, 4], type: 'BF16' },
  { name: 'b', shape: [5], type: 'F32' },
  { name: 'one', shape: [], type: 'I64' },
  { name: 'none', shape: [0, 7], type: 'U8' },
];

/** A whole small file; the bytes of each tensor count up from 0. */
export async function safetensorsBytes(
  tensors: readonly SafetensorsInfo[] = sampleTensors,
): Promise<Uint8Array> {
  const plan = planSafetensors(tensors, new Map([['format', 'pt']]));
  const { sink, bytes } = collector();
  await writeSafetensors(plan, sink, async function* ({ name }) {
    const { byteLength } = plan.tensors.find((tensor) => tensor.name === name)!;
    yield Uint8Array.from({ length: byteLength }, (_, i) => i);
  });
  return bytes();
}

/** A safetensors file by hand: length, header text, data. */
export function headed(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}
