import { availableParallelism } from 'node:os';
import type { Allocation } from '../../../compress/allocate/index.ts';
import { Couplings } from '../../../compress/feedback/couplings.ts';
import { heldOutCosts, type HeldOutCosts } from '../../../compress/feedback/held-out.ts';
import { startTranscoder } from '../../../runtime/kernel-workers.ts';
import { columnsOf } from '../../../tensor/tensor.ts';
import { OpenThings } from '../../../util/closing.ts';
import { PithError } from '../../../util/errors.ts';
import { measure } from '../../calibrate/measure.ts';
import type { Job } from '../job.ts';
import { pathIn } from '../write-file.ts';
import { hessianBlock } from './evidence.ts';
import type { Predicted } from './predict.ts';

/** Rows of each matrix that are compared: enough to tell twice the cost from half of it. */
const rows = 64;

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
    const opened = new OpenThings();
    try {
      return await compare(job, predicted, allocation, opened);
    } finally {
      await opened.close();
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
  job: Job,
  { evidence, imatrix }: Predicted,
  { types }: Allocation,
  opened: OpenThings,
): Promise<LosingTensor[]> {
  const { model, request, split, target } = job;
  const { threads = availableParallelism(), onProgress, signal } = target;
  const text = { ...split, windows: split.heldOut, documents: 1 };
  const { evidence: heldOut, state } = await measure(model, text, {
    request: { model: request.model, hessianBlock },
    target: { output: pathIn(job, 'held-out'), threads, onProgress, signal },
    opened,
    singular: true,
  });
  const transcoder = opened.add(await startTranscoder(threads));
  const couplings = new Couplings(evidence, transcoder);
  const losing: LosingTensor[] = [];
  let done = 0;
  for (const [name, type] of types) {
    const tensor = model.tensors.get(name)!;
    const importance = imatrix.entries.get(name)?.values;
    // Stacks of experts have an importance an expert: held-out text is too short for most of them.
    if (importance?.length !== columnsOf(tensor.shape)) continue;
    const options = { evidence, heldOut, couplings, transcoder, type, importance, rows };
    const costs = await heldOutCosts(tensor, options);
    if (costs && costs.feedback > costs.plain) losing.push({ tensor: name, ...costs });
    onProgress?.({ label: `${name}, held out`, done: ++done, total: types.size, unit: 'steps' });
    if (signal?.aborted)
      throw new PithError('cancelled', 'Comparing on held-out text was cancelled.');
  }
  await state.remove();
  return losing;
}
