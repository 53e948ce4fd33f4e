import { slabsOf } from '../compress/quantize/slabs.ts';
import type { Transcoder } from '../kernels/transcoder.ts';
import type { Model } from '../models/model.ts';
import { columnsOf, weightsOf } from '../tensor/tensor.ts';
import { PithError } from '../util/errors.ts';
import { inOrder } from '../util/in-order.ts';
import type { OnProgress } from '../util/progress.ts';

/** How a model is searched. */
export interface SearchOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes every tensor and looks for NaN and infinity.
 *
 * @returns The first place in words, `blk.0.attn_q.weight holds NaN or infinity in row 3, column 7`, or undefined.
 * @throws PithError `cancelled`; what reading throws.
 */
export async function nonFiniteWeight(
  { tensors }: Pick<Model, 'tensors'>,
  transcoder: Transcoder,
  { onProgress, signal }: SearchOptions,
): Promise<string | undefined> {
  const all = [...tensors.values()];
  const total = all.reduce((sum, { shape }) => sum + weightsOf(shape), 0);
  const results = inOrder(slabsOf(all, tensors), 2 * transcoder.threads + 1, async (slab) => {
    if (signal?.aborted) throw new PithError('cancelled', 'Stopped before all was checked.');
    const { tensor, first, rows, byteLength } = slab;
    const memory = transcoder.reserve(byteLength);
    const bytes = await tensor.read(first, rows, memory.bytes);
    const bad = await transcoder.firstNonFinite(tensor.type, bytes);
    memory.release();
    return { slab, bad };
  });
  let done = 0;
  for await (const { slab, bad } of results) {
    const { tensor, first, rows } = slab;
    const columns = columnsOf(tensor.shape);
    if (bad >= 0) {
      const place = `row ${first + Math.floor(bad / columns)}, column ${bad % columns}`;
      return `${tensor.name} holds NaN or infinity in ${place}`;
    }
    done += rows * columns;
    onProgress?.({ label: `checking ${tensor.name}`, done, total, unit: 'steps' });
  }
  return undefined;
}
