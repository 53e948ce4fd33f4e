import { slabsOf } from '../../compress/quantize/slabs.ts';
import type { Transcoder } from '../../kernels/transcoder.ts';
import type { Model } from '../../models/model.ts';
import { columnsOf, weightsOf } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';
import type { OnProgress } from '../../util/progress.ts';
import { wrong } from './check.ts';

/**
 * Decodes every tensor and looks for NaN and infinity.
 *
 * @throws {@link PithError} `verify-failed` naming tensor, row and column; `cancelled`.
 */
export async function checkWeights(
  { tensors }: Model,
  transcoder: Transcoder,
  { onProgress, signal }: { onProgress?: OnProgress; signal?: AbortSignal },
): Promise<string> {
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
      throw wrong(`${tensor.name} holds NaN or infinity in ${place}`);
    }
    done += rows * columns;
    onProgress?.({ label: `checking ${tensor.name}`, done, total, unit: 'steps' });
  }
  return `${total} weights in ${all.length} tensors are finite`;
}
