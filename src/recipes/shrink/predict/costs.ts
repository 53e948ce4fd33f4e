import { availableParallelism } from 'node:os';
import { activationNoise, predictCosts, type TypeCost } from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import { coupledCosts } from '../../../compress/feedback/coupled-costs.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { OpenThings } from '../../../util/closing.ts';
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
    const known = (tensor: Tensor, own: readonly EncodableType[]) =>
      coupledCosts(tensor, own, options);
    const how = { types, transcoder, known, onProgress, signal };
    const entries: [string, readonly TypeCost[]][] = [];
    for (const [name, choices] of await predictCosts(model, evidence, how)) {
      const noise = await activationNoise(model.tensors.get(name)!, options);
      const noisy = choices.map((choice) => ({
        ...choice,
        cost: choice.cost + noise(choice.type),
      }));
      entries.push([name, noisy]);
    }
    return entries;
  } finally {
    await opened.close();
  }
}
