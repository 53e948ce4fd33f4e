import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../storage/write-atomic.ts';
import { averageBits } from '../../tensor/tensor.ts';
import { PithError } from '../../util/errors.ts';
import type { WrittenReport } from '../report/write-report.ts';
import { parseBudgets } from './budget/budget.ts';
import { writeCard } from './card.ts';
import { refuseResults, resultNames } from './folder.ts';
import { withJob, type Job } from './job.ts';
import { frontierPoints, predict, type FrontierPoint, type Predicted } from './predict/predict.ts';
import type { ChosenTypes } from './recipe/recipe-file.ts';
import type { ShrinkRequest, ShrinkTarget } from './request.ts';
import { recipeOf } from './recipe/recipe-of.ts';
import { makeFile, outputOf, plannedSteps, type ShrunkFile } from './shrunk-file.ts';
import type { Step } from './steps.ts';
import { planFileOf } from './write-file.ts';

/** What files are made from, written or not. */
interface ShrinkOutcome {
  readonly folder: string;
  readonly evidence: string;
  readonly frontier: readonly FrontierPoint[];
  readonly steps: readonly Step[];
  readonly seconds: number;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** What was made. */
export interface ShrinkReport extends ShrinkOutcome {
  readonly files: readonly ShrunkFile[];
  readonly card: WrittenReport;
  readonly recipe: string;
}

/** What would be made. */
export interface ShrinkPrediction extends ShrinkOutcome {
  readonly files: readonly PredictedFile[];
}

/** A file that is not written: its exact size, and what is predicted of it. */
export interface PredictedFile {
  readonly label: string;
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly klDivergence: number;
  readonly types: Readonly<Record<string, string>>;
}

const noTypes: ChosenTypes = new Map();

/**
 * Makes the best files of given sizes: evidence, types for every matrix, files, and what they were measured
 * to keep, in one folder.
 *
 * Every finished step is kept: the same call continues after an interruption and ends with the same files.
 *
 * @param given - Types of a recipe; others are chosen.
 * @throws PithError `usage` for no budget, several, or one above the original; `unsupported` for one below the
 *   smallest file; `conflict` for results that exist and for a folder of the model; `verify-failed`; `cancelled`;
 *   what its parts throw.
 */
export function shrink(
  request: ShrinkRequest,
  target: ShrinkTarget,
  given: ChosenTypes = noTypes,
): Promise<ShrinkReport> {
  const started = performance.now();
  return withJob(request, target, given, async (job) => {
    await refuseOld(job);
    job.steps.plan(plannedSteps(job));
    const predicted = await predict(job);
    const files: ShrunkFile[] = [];
    for (const budget of job.budgets) files.push(await makeFile(job, predicted, budget));
    await predicted.heldOut.finish();
    const card = await job.steps.run('card', () => writeCard(job, predicted, files));
    const recipe = join(target.output, resultNames.recipe);
    await writeAtomic(recipe, recipeOf(job, files));
    for (const { reference } of files) await unlink(reference.path).catch(() => undefined);
    await job.steps.finish();
    const notes = files.flatMap((file) => file.notes);
    return { ...outcome(job, started, predicted, notes), files, card, recipe };
  });
}

/**
 * Predicts size and KL divergence of the files without writing one. Evidence is measured and kept in the folder.
 *
 * @throws PithError as {@link shrink}; `usage` for `keep`, whose size only files can tell.
 */
export async function predictShrink(
  request: ShrinkRequest,
  target: ShrinkTarget,
  given: ChosenTypes = noTypes,
): Promise<ShrinkPrediction> {
  const started = performance.now();
  if (parseBudgets(request).some(({ kind }) => kind === 'keep')) throw keepNeedsFiles();
  return withJob(request, target, given, async (job) => {
    job.steps.plan(plannedSteps(job));
    const predicted = await predict(job);
    const files = job.budgets.map((budget): PredictedFile => {
      const allocation = predicted.chosen.get(budget.label)!.allocation!;
      const { layout, tensors } = planFileOf(job, predicted, allocation);
      return {
        label: budget.label,
        bytes: layout.totalBytes,
        bitsPerWeight: averageBits(tensors),
        klDivergence: allocation.cost,
        types: Object.fromEntries(allocation.types),
      };
    });
    return { ...outcome(job, started, predicted), files };
  });
}

function outcome(
  { target, steps, notes }: Job,
  started: number,
  predicted: Predicted,
  notesOfFiles: readonly string[] = [],
): ShrinkOutcome {
  return {
    folder: target.output,
    evidence: join(target.output, resultNames.evidence),
    frontier: frontierPoints(predicted),
    steps: steps.list,
    seconds: (performance.now() - started) / 1000,
    warnings: predicted.evidence.warnings,
    notes: [...new Set([...notes, ...predicted.notes, ...notesOfFiles])],
  };
}

/** A job that has begun to write goes on; another one replaces nothing unasked. */
async function refuseOld(job: Job): Promise<void> {
  const hasBegun = job.budgets.some(({ label }) => job.steps.isBegun(`write ${label}`));
  if (hasBegun || job.target.force) return;
  const outputs = job.budgets.map((budget) => outputOf(job, budget));
  await refuseResults(job.target.output, outputs);
}

function keepNeedsFiles(): PithError {
  return new PithError(
    'usage',
    '--keep finds its size by measuring files, and --dry-run writes none.',
    'Predict a size instead: --size 3.2GB --dry-run, or leave --dry-run out.',
  );
}
