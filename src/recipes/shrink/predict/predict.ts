import { join } from 'node:path';
import {
  allocate,
  frontier,
  type Allocation,
  type ChoiceGroup,
} from '../../../compress/allocate/index.ts';
import type { Evidence } from '../../../compress/evidence/evidence.ts';
import type { Imatrix } from '../../../compress/quantize/importance.ts';
import type { EncodableType } from '../../../kernels/kernels.ts';
import { PithError } from '../../../util/errors.ts';
import type { SizedBudget } from '../budget/budget.ts';
import { predictGroups } from './costs.ts';
import { evidenceOf } from './evidence.ts';
import { checkBudget, fileBudget, frameOf, type FileFrame } from '../budget/file-frame.ts';
import { resultNames } from '../folder.ts';
import { fullImatrix, plainImatrix } from './importance.ts';
import type { Job } from '../job.ts';

/** What is known once there is evidence. */
export interface Predicted {
  readonly evidence: Evidence;
  readonly groups: readonly ChoiceGroup[];
  /** With what files are written. */
  readonly imatrix: Imatrix;
  /** With what llama.cpp's mixes are written. */
  readonly plainImatrix: Imatrix;
  readonly frame: FileFrame;
}

/** Measures evidence and predicts what each type would cost each matrix; both are kept in the folder. */
export async function predict(job: Job): Promise<Predicted> {
  const { model, request, split, steps, target, modelHash, candidates } = job;
  const place = { path: join(target.output, resultNames.evidence), modelHash, target };
  await steps.run('evidence', async () => {
    const measured = await evidenceOf(request, split, place);
    await measured.close();
    return measured.tokens;
  });
  const evidence = job.opened.add(await evidenceOf(request, split, place));
  const imatrix = fullImatrix(evidence, candidates.keys());
  const groups = await steps.run('costs', () => predictGroups(model, evidence, job.types, target));
  const frame = frameOf(model, candidates, imatrix);
  return { evidence, groups, imatrix, plainImatrix: plainImatrix(evidence), frame };
}

/**
 * The best types for a budget, or those that a recipe gives.
 *
 * @throws PithError as {@link checkBudget}; `not-found` for a recipe of another model.
 */
export function allocationFor(
  budget: SizedBudget,
  { given, candidates }: Job,
  { groups, frame }: Predicted,
): Allocation {
  const types = given.get(budget.label);
  if (types) return givenAllocation(groups, types);
  checkBudget(budget, frame, candidates);
  return allocate(groups, fileBudget(budget, frame) - frame.headerBytes - frame.keptBytes);
}

/** What types that were chosen before take and cost. */
export function givenAllocation(
  groups: readonly ChoiceGroup[],
  types: ReadonlyMap<string, EncodableType>,
): Allocation {
  const chosen = groups.map(({ tensors, choices }) => {
    const type = types.get(tensors[0]!);
    const choice = choices.find((one) => one.type === type);
    if (choice) return choice;
    throw new PithError(
      'not-found',
      type === undefined
        ? `The recipe has no type for ${tensors[0]}.`
        : `The recipe gives ${tensors[0]} the type ${type}, which is not among its candidates.`,
      'Leave "chosen" out of the recipe to have types chosen anew.',
    );
  });
  return {
    types,
    bytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0),
    cost: chosen.reduce((sum, { cost }) => sum + cost, 0),
  };
}

/** A size and what is predicted of the best file of that size. */
export interface FrontierPoint {
  /** Of the whole file. */
  readonly bytes: number;
  readonly klDivergence: number;
}

const mostPoints = 200;

/** The whole curve of best files, thinned out evenly. */
export function frontierPoints({ groups, frame }: Predicted): FrontierPoint[] {
  const all = frontier(groups);
  const count = Math.min(mostPoints, all.length);
  const place = (at: number) => Math.round((at * (all.length - 1)) / Math.max(1, count - 1));
  const places = Array.from({ length: count }, (_, at) => place(at));
  return places.map((at) => {
    const { bytes, cost } = all[at]!;
    return { bytes: frame.headerBytes + frame.keptBytes + bytes, klDivergence: cost };
  });
}
