import type { Evaluations } from '../report/request.ts';
import { gatherReport } from '../report/gather.ts';
import { writeReport, type WrittenReport } from '../report/write-report.ts';
import type { Job } from './job.ts';
import { defaultEvaluation } from './measure.ts';
import { frontierPoints, type Predicted } from './predict/predict.ts';
import type { ShrunkFile } from './shrunk-file.ts';

/** What every version continues in the card. */
const opening = { prompt: 'Once upon a time', tokens: 60 };

/** The card of all files, with llama.cpp's mixes beside them and the curve of what types can do. */
export async function writeCard(
  { request, target }: Job,
  predicted: Predicted,
  files: readonly ShrunkFile[],
): Promise<WrittenReport> {
  const versions = versionsOf(files);
  const { data } = await gatherReport(
    {
      models: versions.map(({ path }) => path),
      labels: versions.map(({ label }) => label),
      against: request.model,
      data: request.evaluation ?? defaultEvaluation,
      engine: 'llama',
      maxTokens: request.maxTokens,
      taskData: request.taskData,
      limit: request.limit,
      prompt: request.prompt ?? opening.prompt,
      continuationTokens: opening.tokens,
      speed: request.speed,
      command: target.command,
      evaluations: new Map(versions.map(({ path, measured }) => [path, measured])),
    },
    target,
  );
  const frontier = frontierPoints(predicted);
  const notes = [
    ...new Set([...data.notes, ...predicted.evidence.warnings, ...files.flatMap(notesOf)]),
  ];
  return writeReport({ ...data, frontier, notes }, target.output);
}

interface Version {
  readonly label: string;
  readonly path: string;
  readonly measured: Evaluations;
}

function versionsOf(files: readonly ShrunkFile[]): Version[] {
  const mixes = new Map(files.map(({ reference }) => [reference.type, reference]));
  return [
    ...files.map(({ label, output: path, measured }) => ({ label, path, measured })),
    ...[...mixes.values()].map(({ type: label, path, measured }) => ({ label, path, measured })),
  ];
}

function notesOf({ label, reference, keep, allocation, notes }: ShrunkFile): string[] {
  const predicted = `${label}: KL divergence predicted before it was written: ${allocation.cost.toPrecision(3)} nats per token.`;
  const beside = `${reference.type} is a mix of llama.cpp's, with importance from the same text.`;
  const own = [predicted, ...notes.map((note) => `${label}: ${note}`), beside];
  if (!keep) return own;
  const found = `${label} is the smallest of ${keep.trials.length} files tried whose ${keep.what} is at least ${100 * keep.share} % at the lower bound.`;
  return [...own, found];
}
