import { join } from 'node:path';
import type { EncodableType } from '../../kernels/kernels.ts';
import type { Model } from '../../models/model.ts';
import { openModel } from '../../models/open.ts';
import { makeFolder } from '../../storage/folder.ts';
import { acquireLock } from '../../storage/lock-file.ts';
import { attempt } from '../../storage/system-error.ts';
import { unitOf } from '../../tensor/dtypes.ts';
import { OpenThings } from '../../util/closing.ts';
import { windowsHash } from '../calibrate/windows.ts';
import { hashData, requireExpected, type JobData } from './job-data.ts';
import { keyOf } from '../evaluate/measurement.ts';
import { modelHash } from '../evaluate/model-hash.ts';
import { parseBudgets, type Budget } from './budget/budget.ts';
import { candidatesOf, candidateTypes } from './budget/candidates.ts';
import { splitCalibration, type CalibrationSplit } from './predict/evidence.ts';
import {
  blankImatrix,
  checkBudget,
  frameOf,
  type Candidates,
  type FileFrame,
} from './budget/file-frame.ts';
import { checkOutputFolder, resultNames } from './folder.ts';
import type { ChosenTypes } from './recipe/recipe-file.ts';
import type { ShrinkRequest, ShrinkTarget } from './request.ts';
import { orStopped } from '../interrupted.ts';
import { Steps } from './steps.ts';

/** A request that was checked against the model: everything known before the first long step. */
export interface Job {
  readonly request: ShrinkRequest;
  readonly target: ShrinkTarget;
  readonly model: Model;
  readonly modelHash: string;
  readonly data: JobData;
  readonly budgets: readonly Budget[];
  readonly types: readonly EncodableType[];
  readonly candidates: Candidates;
  readonly frame: FileFrame;
  readonly split: CalibrationSplit;
  /** Types that a recipe gives; others are chosen. */
  readonly given: ChosenTypes;
  readonly steps: Steps;
  /** Closed when the job ends. */
  readonly opened: OpenThings;
  readonly notes: readonly string[];
}

/** Opens a job, does work with it, and says of an interruption what is kept. */
export async function withJob<T>(
  request: ShrinkRequest,
  target: ShrinkTarget,
  given: ChosenTypes,
  work: (job: Job) => Promise<T>,
): Promise<T> {
  const opened = new OpenThings();
  try {
    const job = await openJob(request, target, given, opened);
    const what = `what is finished is kept in ${target.output}`;
    const left = () => ({ what, continues: true });
    return await orStopped(target.signal, left, () => work(job));
  } finally {
    await opened.close();
  }
}

async function openJob(
  request: ShrinkRequest,
  target: ShrinkTarget,
  given: ChosenTypes,
  opened: OpenThings,
): Promise<Job> {
  const budgets = parseBudgets(request);
  const types = candidateTypes(request);
  const data = await hashData(request, target);
  await checkOutputFolder(target.output, request.model);
  const model = opened.add(await openModel(request.model));
  const candidates = candidatesOf(model, types);
  const split = await splitCalibration(request, model);
  const frame = frameOf(model, candidates, blankImatrix(model, split.datasets));
  for (const budget of budgets) checkBudget(budget, frame, candidates);
  const hash = await modelHash(model, target);
  requireExpected(request, hash, data);
  await makeFolder(target.output);
  const lock = join(target.output, 'shrink.lock');
  opened.add({ close: await attempt('lock', lock, () => acquireLock(lock)) });
  const key = keyOf([
    hash,
    ...[split.measured, split.heldOut].map(windowsHash),
    JSON.stringify([types, data, request.maxTokens, request.limit]),
    JSON.stringify([...given].map(([label, { types: own }]) => [label, [...own]])),
  ]);
  const steps = opened.add(await Steps.open(join(target.output, resultNames.steps), key));
  const notes = [...model.notes, ...split.notes, ...quantizedNotes(model), ...keptNotes(steps)];
  const facts = { modelHash: hash, data, budgets, types, candidates, frame, split, given };
  return { request, target, model, ...facts, steps, opened, notes };
}

/** Says of a model that was quantized before what that means. */
export function quantizedNotes({ tensors, source }: Pick<Model, 'tensors' | 'source'>): string[] {
  const types = [...tensors.values()].map(({ type }) => type);
  const quantized = new Set(types.filter((type) => unitOf(type).weights > 1));
  if (quantized.size === 0) return [];
  return [
    `${source} is quantized already (${[...quantized].join(', ')}): what that lost is lost, and all ` +
      'figures are against it as it is. Shrink the original if you have it.',
  ];
}

function keptNotes({ kept }: Steps): string[] {
  return kept > 0 ? [`Continued: ${kept} steps were done by an earlier run.`] : [];
}
