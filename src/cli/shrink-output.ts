import type { EvaluateReport } from '../recipes/evaluate/evaluate.ts';
import type { TasksReport } from '../recipes/evaluate/tasks.ts';
import type { FileMeasurement } from '../recipes/shrink/measure.ts';
import type { ShrinkPrediction, ShrinkReport } from '../recipes/shrink/shrink.ts';
import type { ShrunkFile } from '../recipes/shrink/shrunk-file.ts';

/** The first file's figures stand at the top too: most runs make one. */
export function shrinkOutput({ files, ...report }: ShrinkReport) {
  const all = files.map(fileOf);
  return { ...all[0]!, ...report, files: all };
}

function fileOf({ output, tensorTypes, bytes, bitsPerWeight, ...file }: ShrunkFile) {
  const { label, allocation, measured, reference, keep, relativeError } = file;
  return {
    label,
    output,
    tensorTypes,
    bytes,
    bitsPerWeight,
    relativeError,
    predicted: { klDivergence: allocation.cost },
    measured: evaluationOf(measured),
    reference: {
      type: reference.type,
      bytes: reference.bytes,
      measured: evaluationOf(reference.measured),
    },
    ...(keep && { keep }),
  };
}

/** As `pith evaluate` prints it. */
function evaluationOf({
  text,
  tasks,
}: FileMeasurement): Partial<EvaluateReport> & Partial<Pick<TasksReport, 'tasks'>> {
  return { ...text, ...(tasks && { tasks: tasks.tasks }) };
}

/** The same of files that are not written. */
export function predictionOutput({ files, ...report }: ShrinkPrediction) {
  const all = files.map(({ klDivergence, ...file }) => ({ ...file, predicted: { klDivergence } }));
  return { ...all[0]!, ...report, files: all };
}

/** What `pith shrink --json` prints. */
export type ShrinkOutput = ReturnType<typeof shrinkOutput>;

/** What it prints with `--dry-run`. */
export type PredictionOutput = ReturnType<typeof predictionOutput>;
