import { createHash } from 'node:crypto';
import type { Model } from '../../models/model.ts';
import { rowsOf, type Tensor } from '../../tensor/tensor.ts';
import type { OnProgress } from '../../util/progress.ts';

/** Bytes read at once. */
const slabBytes = 2 ** 23;

/**
 * SHA-256 of everything a model computes with: metadata, tokenizer included, and every weight.
 *
 * @remarks Reads the whole model, at the speed of the disk or about 1 GB/s.
 */
export async function modelHash(
  model: Model,
  { onProgress, signal }: { onProgress?: OnProgress | undefined; signal?: AbortSignal | undefined },
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([...model.metadata], plainNumbers));
  const tensors = [...model.tensors.values()];
  for (const [done, tensor] of tensors.entries()) {
    onProgress?.({ label: `hash of ${model.source}`, done, total: tensors.length, unit: 'steps' });
    hash.update(JSON.stringify([tensor.name, tensor.type, tensor.shape]));
    for await (const bytes of slabsOf(tensor)) hash.update(bytes);
    signal?.throwIfAborted();
  }
  return hash.digest('hex');
}

/** JSON knows neither bigint nor typed arrays. */
function plainNumbers(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return ArrayBuffer.isView(value)
    ? [...(value as unknown as Iterable<number>)].map(String)
    : value;
}

async function* slabsOf(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const rows = rowsOf(tensor.shape);
  if (rows === 0) return;
  const first = await tensor.read(0, 1);
  const atOnce = Math.max(1, Math.floor(slabBytes / Math.max(1, first.length)));
  for (let row = 0; row < rows; row += atOnce) {
    yield await tensor.read(row, Math.min(atOnce, rows - row));
  }
}
