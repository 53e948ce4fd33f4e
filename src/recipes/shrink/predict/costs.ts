import { availableParallelism } from 'node:os';
import { predictCosts, type ChoiceGroup } from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import type { Model } from '../../../models/model.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import type { ShrinkTarget } from '../request.ts';

/** What each type would cost each matrix. */
export async function predictGroups(
  model: Model,
  evidence: Evidence,
  types: readonly EncodableType[],
  { threads = availableParallelism(), onProgress, signal }: ShrinkTarget,
): Promise<ChoiceGroup[]> {
  const transcoder = await startTranscoder(threads);
  try {
    const costs = await predictCosts(model, evidence, { types, transcoder, onProgress, signal });
    return [...costs].map(([name, choices]) => ({ tensors: [name], choices }));
  } finally {
    await transcoder.close();
  }
}
