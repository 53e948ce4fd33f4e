import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { baseFormat, joinScores, scoresFormat } from '../../evaluate/records.ts';
import { keptTop, scoreBase, scoreCandidate } from '../../evaluate/score-windows.ts';
import type { TokenScorer } from '../../evaluate/scorer.ts';
import type { BaseScores, TokenScores } from '../../evaluate/token-scores.ts';
import type { Windows } from '../../evaluate/windows.ts';
import type { OnProgress } from '../../util/progress.ts';
import { version } from '../../util/version.ts';
import { openScorer, type EngineName } from './engines.ts';
import type { EvaluationSession } from './session.ts';
import {
  fillScoreFile,
  finishedDevice,
  openScoreFile,
  readScores,
  type ScoreFile,
} from './score-file.ts';

/** A model to score: how it is called and what it is. */
export interface MeasuredModel {
  readonly reference: string;
  /** {@link modelHash}. */
  readonly hash: string;
}

/** What is measured, on what and where it is kept. */
export interface MeasurementPlan {
  readonly model: MeasuredModel;
  readonly against?: MeasuredModel;
  readonly text: Windows;
  /** Ids that the models may give. */
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly session: EvaluationSession;
  /** The folder of score files. */
  readonly cache: string;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** `done` of all windows of one pass; passes are told apart by their label. */
  readonly onWindow?: (label: string, done: number) => void;
}

/** Scores of one engine. */
export interface Measured {
  readonly engine: EngineName;
  readonly device: string;
  readonly scores: TokenScores;
  readonly notes: readonly string[];
}

/** Kept tokens a position. */
export function topOf({ vocabulary }: MeasurementPlan): number {
  return keptTop(vocabulary);
}

/**
 * Scores the text with one engine: the base first, unless an earlier evaluation left its scores, then
 * the model beside it.
 */
export async function measure(plan: MeasurementPlan, engine: EngineName): Promise<Measured> {
  const base = plan.against && baseFile(plan, plan.against, engine);
  const notes = base ? await completeBase(plan, base, engine) : [];
  const file = candidateFile(plan, engine);
  const filled = await completeCandidate(plan, file, base, engine);
  plan.session.keep(file.path);
  const scores = joinScores(await readScores(file));
  return { engine, device: filled.device, scores, notes: [...notes, ...filled.notes] };
}

interface Filled {
  readonly device: string;
  readonly notes: readonly string[];
}

async function completeCandidate(
  plan: MeasurementPlan,
  file: ScoreFile<TokenScores>,
  base: ScoreFile<BaseScores> | undefined,
  engine: EngineName,
): Promise<Filled> {
  const { reference } = plan.model;
  const label = `${reference} (${engine})`;
  const device = await finishedDevice(file);
  if (device !== undefined)
    return { device, notes: [`Scores of ${label} are those of an interrupted run.`] };
  const reader = base && (await openScoreFile(base));
  try {
    return await fill(plan, file, {
      reference,
      engine,
      label,
      score: (scorer, range) =>
        scoreCandidate(scorer, plan.text, reader && ((window) => reader.read(window)), range),
    });
  } finally {
    await reader?.close();
  }
}

async function completeBase(
  plan: MeasurementPlan,
  base: ScoreFile<BaseScores>,
  engine: EngineName,
): Promise<readonly string[]> {
  const { reference } = plan.against!;
  if ((await finishedDevice(base)) !== undefined)
    return [`Scores of ${reference} are those kept in ${base.path}.`];
  const { notes } = await fill(plan, base, {
    reference,
    engine,
    label: `${reference} (${engine})`,
    score: (scorer, range) => scoreBase(scorer, plan.text, topOf(plan), range),
  });
  return [...notes, `Scores of ${reference} are kept in ${base.path}.`];
}

interface Pass<T> {
  readonly reference: string;
  readonly engine: EngineName;
  readonly label: string;
  readonly score: (
    scorer: TokenScorer,
    range: { readonly from: number; readonly signal?: AbortSignal },
  ) => AsyncGenerator<T>;
}

/** Opens the model, scores the windows that are not in the file yet, closes it. */
async function fill<T>(
  plan: MeasurementPlan,
  file: ScoreFile<T>,
  { reference, engine, label, score }: Pass<T>,
): Promise<Filled> {
  const { contextLength, threads, signal, cache: temporary } = plan;
  const options = { contextLength, threads, temporary, signal, onProgress: plan.onProgress };
  const { scorer, notes } = await openScorer(reference, engine, options);
  try {
    const from = await fillScoreFile(file, {
      device: scorer.device,
      score: (first) => score(scorer, { from: first, ...(signal && { signal }) }),
      onWindow: (done) => plan.onWindow?.(label, done),
    });
    const resumed = `Continued an interrupted run of ${label} at window ${from + 1}.`;
    return { device: scorer.device, notes: from > 0 ? [...notes, resumed] : notes };
  } finally {
    await scorer.close();
  }
}

function baseFile(
  plan: MeasurementPlan,
  { hash }: MeasuredModel,
  engine: EngineName,
): ScoreFile<BaseScores> {
  const key = keyOf(['base', engine, hash, textHash(plan.text), String(topOf(plan))]);
  return { ...fileOf(plan, 'base', key), format: baseFormat(topOf(plan), plan.vocabulary) };
}

function candidateFile(plan: MeasurementPlan, engine: EngineName): ScoreFile<TokenScores> {
  const against = plan.against?.hash ?? '';
  const key = keyOf(['candidate', engine, plan.model.hash, against, textHash(plan.text)]);
  return { ...fileOf(plan, 'candidate', key), format: scoresFormat(plan.against !== undefined) };
}

function fileOf({ cache, text }: MeasurementPlan, kind: string, key: string) {
  const path = join(cache, `${kind}-${key.slice(0, 16)}.scores`);
  const counts = text.windows.map(({ tokens, first }) => tokens.length - first);
  return { path, key, counts };
}

/** A key of everything that determines scores, this version included. */
export function keyOf(parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([version, ...parts]))
    .digest('hex');
}

/** Of every window: its tokens and from where on they are scored. */
function textHash({ windows }: Windows): string {
  const hash = createHash('sha256');
  for (const { tokens, first, document } of windows) {
    hash.update(`${document} ${first} ${tokens.length}\n`);
    hash.update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
  }
  return hash.digest('hex');
}
