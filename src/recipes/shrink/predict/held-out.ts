import { availableParallelism } from 'node:os';
import type { Allocation } from '../../../compress/allocate/index.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import { heldOutCosts, type HeldOutCosts } from '../../../compress/feedback/held-out.ts';
import { createWasmKernels } from '../../../kernels/wasm.ts';
import type { Transcoder } from '../../../kernels/transcoder.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import { PithError } from '../../../util/errors.ts';
import { inOrder } from '../../../util/in-order.ts';
import type { Job } from '../job.ts';
import type { Predicted } from './predict.ts';

/** Rows of each matrix that are compared: enough to tell twice the cost from half of it. */
const rows = 64;
/** Matrices in work: while errors of one are judged, the next is encoded. */
const tensorsAtOnce = 2;

/** A matrix that feedback would make worse on text that its evidence has nothing of. */
export interface LosingTensor extends HeldOutCosts {
  readonly tensor: string;
}

/**
 * Finds the matrices of an allocation whose errors cost more with feedback than without on the held-out part of the
 * calibration text; a step that is not done twice.
 *
 * @throws PithError what running the model throws; `cancelled`.
 */
export function losingTensors(
  job: Job,
  predicted: Predicted,
  { label, allocation }: { label: string; allocation: Allocation },
): Promise<LosingTensor[]> {
  return job.steps.run(`check ${label}`, async () => {
    const transcoder = await startTranscoder(job.target.threads ?? availableParallelism());
    try {
      return await compare(job, predicted, allocation, transcoder);
    } finally {
      await transcoder.close();
    }
  });
}

/** What a user should know of them. */
export function losingNotes(losing: readonly LosingTensor[]): string[] {
  if (losing.length === 0) return [];
  const names = losing.map(({ tensor }) => tensor).join(', ');
  return [`Without error feedback, which lost on held-out text: ${names}.`];
}

async function compare(
  { model, target: { onProgress, signal } }: Job,
  { evidence, imatrix, heldOut: own }: Predicted,
  { types }: Allocation,
  transcoder: Transcoder,
): Promise<LosingTensor[]> {
  const heldOut = await own.evidence();
  const couplings = new Couplings(evidence, transcoder);
  const kernels = await createWasmKernels();
  const tools = { couplings, transcoder, kernels };
  const losing: LosingTensor[] = [];
  let done = 0;
  const compared = inOrder(types, tensorsAtOnce, async ([name, type]) => {
    const tensor = model.tensors.get(name)!;
    const importance = imatrix.entries.get(name)!.values;
    const options = { ...tools, evidence, heldOut, type, importance, rows };
    return { name, costs: await heldOutCosts(tensor, options) };
  });
  for await (const { name, costs } of compared) {
    if (costs && costs.feedback > costs.plain) losing.push({ tensor: name, ...costs });
    onProgress?.({ label: `${name}, held out`, done: ++done, total: types.size, unit: 'steps' });
    if (signal?.aborted)
      throw new PithError('cancelled', 'Comparing on held-out text was cancelled.');
  }
  return losing;
}
