import { availableParallelism } from 'node:os';
import { activationNoise, predictCosts, type TypeCost } from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { coupledCosts } from '../../../compress/feedback/coupled-costs.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import { OpenThings } from '../../../util/closing.ts';
import { PithError } from '../../../util/errors.ts';
import type { Job } from '../job.ts';

/** Costs of types by tensor, as plain data. */
export type CostEntries = readonly (readonly [tensor: string, costs: readonly TypeCost[]])[];

/** What each type would cost each matrix, errors fed back where they can be, and activations rounded as on a CPU. */
export async function predictedCosts(
  { model, types, target }: Job,
  evidence: Evidence,
): Promise<CostEntries> {
  const { threads = availableParallelism(), onProgress, signal } = target;
  const opened = new OpenThings();
  try {
    const transcoder = opened.add(await startTranscoder(threads));
    const couplings = new Couplings(evidence, transcoder);
    const options = { evidence, couplings, transcoder };
    const costs = await predictCosts(model, evidence, { types, transcoder, onProgress, signal });
    const entries: [string, readonly TypeCost[]][] = [];
    for (const [name, plain] of costs) {
      const own = plain.map(({ type }) => type);
      const tensor = model.tensors.get(name)!;
      const coupled = await coupledCosts(tensor, own, options);
      const noise = await activationNoise(tensor, options);
      const choices = plain.map(({ type, bytes, cost }) => {
        return { type, bytes, cost: (coupled?.get(type) ?? cost) + noise(type) };
      });
      entries.push([name, choices]);
      const label = `${name}, errors fed back`;
      onProgress?.({ label, done: entries.length, total: costs.size, unit: 'steps' });
      if (signal?.aborted) throw new PithError('cancelled', 'Predicting costs was cancelled.');
    }
    return entries;
  } finally {
    await opened.close();
  }
}
