import { unlink } from 'node:fs/promises';
import { choiceGroups, frontier, type Allocation } from '../../compress/allocate/index.ts';
import { attempt } from '../../storage/system-error.ts';
import { quantize } from '../quantize.ts';
import type { Budget } from './budget/budget.ts';
import type { Job } from './job.ts';
import { smallestThatKeeps, type Trial } from './budget/keep.ts';
import { measureFile, retentionOf, type Retention } from './measure.ts';
import { allocationOf } from './predict/choose.ts';
import { losingTensors } from './predict/held-out.ts';
import type { Predicted } from './predict/predict.ts';
import { pathIn, planFileOf, workOptions } from './write-file.ts';

/** How the size of a file was found. */
export interface KeepReport {
  readonly share: number;
  /** What is kept, in words. */
  readonly what: string;
  readonly trials: readonly Trial[];
}

/** What {@link findKept} found. */
export interface FoundAllocation {
  readonly allocation: Allocation;
  readonly keep: KeepReport;
}

type KeepBudget = Extract<Budget, { kind: 'keep' }>;

/**
 * The smallest allocation whose file keeps enough, found by writing and measuring files.
 *
 * The figure that decides was chosen among several: that of the file on other data may lie a little lower.
 *
 * @throws PithError as `smallestThatKeeps`.
 */
export async function findKept(
  job: Job,
  predicted: Predicted,
  { share, label }: KeepBudget,
): Promise<FoundAllocation> {
  const { costs } = predicted.chosen.get(label)!;
  const tries: Retention[] = [];
  const found = await job.steps.run(`find ${label}`, async () => {
    const { allocation, trials } = await smallestThatKeeps(
      frontier(choiceGroups(costs)),
      share,
      async (point) => {
        const retention = await tryAllocation(job, predicted, point);
        tries.push(retention);
        return retention.figure;
      },
    );
    const keep: KeepReport = {
      share,
      what: [...new Set(tries.map(({ what }) => what))].join(', '),
      trials,
    };
    return { types: [...allocation.types], klDivergence: allocation.cost, keep };
  });
  const { types, klDivergence, keep } = found;
  return { allocation: allocationOf(costs, new Map(types), klDivergence), keep };
}

/** Writes a file for as long as it is measured. */
async function tryAllocation(
  job: Job,
  predicted: Predicted,
  allocation: Allocation,
): Promise<Retention> {
  const { steps, request, target } = job;
  return steps.run(`try ${allocation.bytes} bytes`, async () => {
    const path = pathIn(job, 'trial.gguf');
    const plan = planFileOf(job, predicted, allocation);
    const prepared = { model: job.model, plan, inputs: job.model.files };
    const label = `${allocation.bytes} bytes`;
    const losing = await losingTensors(job, predicted, { label, allocation });
    await quantize(prepared, {
      output: path,
      force: true,
      evidence: predicted.evidence,
      withoutFeedback: new Set(losing.map(({ tensor }) => tensor)),
      ...workOptions(job),
    });
    const measured = await measureFile(path, request, target);
    await attempt('remove', path, () => unlink(path));
    return retentionOf(measured);
  });
}
