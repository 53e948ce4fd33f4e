import { join } from 'node:path';
import type { Evidence } from '../../compress/evidence/evidence.ts';
import type { Allocation } from '../../compress/allocate/index.ts';
import { planAllocation } from '../../compress/quantize/plan-allocation.ts';
import type { QuantizationPlan } from '../../compress/quantize/quantization-plan.ts';
import { PithError } from '../../util/errors.ts';
import { quantize, type QuantizeReport } from '../quantize.ts';
import { verify, type VerifyReport } from '../verify/verify.ts';
import type { Job } from './job.ts';
import { measureFile, type FileMeasurement } from './measure.ts';
import type { Predicted } from './predict/predict.ts';

/** A file to be written. */
export interface PlannedFile {
  /** Tells its steps apart. */
  readonly label: string;
  readonly path: string;
  readonly plan: QuantizationPlan;
  /** With which rounding errors are fed back. */
  readonly evidence?: Evidence;
  /** Tensors without feedback. */
  readonly withoutFeedback?: ReadonlySet<string>;
}

/** A file as it was written, checked and measured. */
export interface FinishedFile {
  readonly written: QuantizeReport;
  readonly measured: FileMeasurement;
}

/** The file of an allocation. */
export function planFileOf(job: Job, { imatrix }: Predicted, allocation: Allocation) {
  return planAllocation(job.model, allocation.types, imatrix);
}

/** Where a file of the output folder lies. */
export function pathIn({ target }: Job, name: string): string {
  return join(target.output, name);
}

/**
 * Writes a file, reads it back and measures it; each is a step that is not done twice.
 *
 * @throws PithError `verify-failed` naming the check; what `quantize` and `evaluate` throw.
 */
export async function finishFile(job: Job, file: PlannedFile): Promise<FinishedFile> {
  const { label, path } = file;
  const written = await writeStep(job, file);
  await job.steps.run(`verify ${label}`, async () => {
    const report = await verify(path, { against: job.request.model, ...workOptions(job) });
    if (!report.ok) throw failed(report);
    return report.checks.map(({ name, detail }) => ({ name, detail }));
  });
  return { written, measured: await measureStep(job, file) };
}

/** Writes a file to compare with and measures it, however badly it speaks. */
export async function finishReference(job: Job, file: PlannedFile): Promise<FinishedFile> {
  return { written: await writeStep(job, file), measured: await measureStep(job, file) };
}

function measureStep({ steps, request, target }: Job, { label, path }: PlannedFile) {
  return steps.run(`measure ${label}`, () => measureFile(path, request, target));
}

/** What {@link finishFile} does, by name. */
export function stepsOf(label: string): string[] {
  return [`write ${label}`, `verify ${label}`, `measure ${label}`];
}

/** Writes a file that is not there yet; one that an earlier run of this job began is this job's. */
function writeStep(job: Job, file: PlannedFile): Promise<QuantizeReport> {
  const { steps, model, target } = job;
  const { label, path, plan, evidence, withoutFeedback } = file;
  const name = `write ${label}`;
  const force = steps.isBegun(name) || (target.force ?? false);
  const prepared = { model, plan, inputs: model.files };
  const feedback = { ...(evidence && { evidence }), ...(withoutFeedback && { withoutFeedback }) };
  const how = { output: path, force, ...feedback, ...workOptions(job) };
  return steps.run(name, () => quantize(prepared, how));
}

/** Threads, progress and signal, as far as they are set. */
export function workOptions({ target: { threads, onProgress, signal } }: Job) {
  return {
    ...(threads !== undefined && { threads }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  };
}

function failed({ file, checks }: VerifyReport): PithError {
  const { name, detail } = checks.find(({ ok }) => !ok)!;
  return new PithError('verify-failed', `${file} did not pass its check of ${name}: ${detail}`);
}
