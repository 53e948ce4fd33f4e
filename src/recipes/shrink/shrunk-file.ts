import { basename } from 'node:path';
import type { FileType } from '../../compress/quantize/file-types.ts';
import { tensorTypeLines, type Allocation } from '../../compress/allocate/index.ts';
import { writeAtomic } from '../../storage/write-atomic.ts';
import { averageBits } from '../../tensor/tensor.ts';
import type { Budget } from './budget/budget.ts';
import { findKept, type KeepReport } from './find-kept.ts';
import type { Job } from './job.ts';
import type { FileMeasurement } from './measure.ts';
import { losingNotes, losingTensors } from './predict/held-out.ts';
import { stepOf } from './predict/choose.ts';
import type { Predicted } from './predict/predict.ts';
import { nearestPreset, presetOf } from './preset.ts';
import { finishFile, finishReference, pathIn, planFileOf, stepsOf } from './write-file.ts';

/** A mix of llama.cpp that was measured beside a file; its own file is gone when the job ends. */
export interface ReferenceFile {
  readonly type: FileType;
  readonly bytes: number;
  readonly path: string;
  readonly measured: FileMeasurement;
}

/** A file and everything that is known of it. */
export interface ShrunkFile {
  /** The budget, as part of the file's name. */
  readonly label: string;
  readonly output: string;
  readonly tensorTypes: string;
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly relativeError: number;
  readonly allocation: Allocation;
  readonly keep?: KeepReport;
  readonly measured: FileMeasurement;
  readonly reference: ReferenceFile;
  readonly notes: readonly string[];
}

/** The steps of all files, by name, as far as they are known beforehand. */
export function plannedSteps({ budgets }: Job): string[] {
  const files = budgets.flatMap(({ kind, label }) => [
    ...(kind === 'keep' ? [`find ${label}`] : []),
    `check ${label}`,
    ...stepsOf(label),
    `beside ${label}`,
  ]);
  return ['evidence', 'costs', ...budgets.map(stepOf), ...files, 'card'];
}

/** Chooses types for a budget, writes the file, checks and measures it, and a mix of llama.cpp beside it. */
export async function makeFile(
  job: Job,
  predicted: Predicted,
  budget: Budget,
): Promise<ShrunkFile> {
  const { label } = budget;
  const { allocation, keep } = await chooseTypes(job, predicted, budget);
  const plan = planFileOf(job, predicted, allocation);
  const path = outputOf(job, budget);
  const { evidence } = predicted;
  const losing = await losingTensors(job, predicted, { label, allocation });
  const withoutFeedback = new Set(losing.map(({ tensor }) => tensor));
  const file = { label, path, plan, evidence, withoutFeedback };
  const { written, measured } = await finishFile(job, file);
  const tensorTypes = pathIn(job, tensorTypesName(job, label));
  await writeAtomic(tensorTypes, tensorTypeLines(allocation));
  const { bytes, relativeError, notes } = written;
  return {
    label,
    output: path,
    tensorTypes,
    bytes,
    bitsPerWeight: averageBits(plan.tensors),
    relativeError,
    allocation,
    ...(keep && { keep }),
    measured,
    reference: await besideStep(job, predicted, { label, bytes }),
    notes: [...notes, ...losingNotes(losing)],
  };
}

/** Where the file of a budget goes: `llama-3.2GB.gguf`. */
export function outputOf(job: Job, { label }: Budget): string {
  const { model } = job.request;
  const name = basename(model.replace(/[/\\]+$/, '')).replace(/\.gguf$/i, '');
  return pathIn(job, `${name}-${label}.gguf`);
}

async function chooseTypes(
  job: Job,
  predicted: Predicted,
  budget: Budget,
): Promise<{ readonly allocation: Allocation; readonly keep?: KeepReport }> {
  const { allocation } = predicted.chosen.get(budget.label)!;
  if (allocation) return { allocation };
  if (budget.kind === 'keep') return findKept(job, predicted, budget);
  throw new Error(`No types were chosen for ${budget.label}.`);
}

function tensorTypesName({ budgets }: Job, label: string): string {
  return budgets.length === 1 ? 'tensor-types.txt' : `tensor-types-${label}.txt`;
}

/** Two files may have one mix beside them, which is made once. */
async function besideStep(
  job: Job,
  { plainImatrix }: Predicted,
  { label, bytes }: Pick<ShrunkFile, 'label' | 'bytes'>,
): Promise<ReferenceFile> {
  const { request, model, steps } = job;
  const { type, plan } = request.beside
    ? presetOf(model, plainImatrix, request.beside)
    : nearestPreset(model, plainImatrix, bytes);
  return steps.run(`beside ${label}`, async () => {
    const path = pathIn(job, `beside-${type.toLowerCase()}.gguf`);
    const { measured } = await finishReference(job, { label: type, path, plan });
    return { type, bytes: plan.layout.totalBytes, path, measured };
  });
}
