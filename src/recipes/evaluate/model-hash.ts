import { createHash } from 'node:crypto';
import type { Model } from '../../models/model.ts';
import { rowSlabs } from '../../tensor/tensor.ts';
import type { OnProgress } from '../../util/progress.ts';

/** How to watch and stop it. */
export interface HashOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Weights read at once: 8 MB of 16 bits. */
const slabWeights = 2 ** 22;

/**
 * SHA-256 of everything a model computes with: metadata, tokenizer included, and every weight.
 *
 * @remarks Reads the whole model, at the speed of the disk or about 1 GB/s.
 */
export async function modelHash(
  model: Model,
  { onProgress, signal }: HashOptions,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([...model.metadata], plainNumbers));
  const tensors = [...model.tensors.values()];
  for (const [done, tensor] of tensors.entries()) {
    onProgress?.({ label: `hash of ${model.source}`, done, total: tensors.length, unit: 'steps' });
    hash.update(JSON.stringify([tensor.name, tensor.type, tensor.shape]));
    for (const { first, count } of rowSlabs(tensor.shape, slabWeights))
      hash.update(await tensor.read(first, count));
    signal?.throwIfAborted();
  }
  return hash.digest('hex');
}

/** SHA-256 of the part of a model's metadata that is its tokenizer. */
export function tokenizerHash({ metadata }: Model): string {
  const own = [...metadata].filter(([key]) => key.startsWith('tokenizer.'));
  return createHash('sha256').update(JSON.stringify(own, plainNumbers)).digest('hex');
}

/** JSON knows neither bigint nor typed arrays. */
function plainNumbers(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return ArrayBuffer.isView(value)
    ? [...(value as unknown as Iterable<number>)].map(String)
    : value;
}
