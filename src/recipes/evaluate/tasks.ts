import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Figure } from '../../evaluate/figure.ts';
import type { PairedDifference } from '../../evaluate/paired.ts';
import {
  chanceLevel,
  compareTasks,
  loadTask,
  measureFigure,
  runTask,
  type Task,
  type TaskFile,
  type TaskResult,
} from '../../evaluate/tasks/index.ts';
import { requireSameVocabulary } from '../../evaluate/vocabulary.ts';
import { openModel } from '../../models/open.ts';
import type { Model } from '../../models/model.ts';
import { attempt } from '../../storage/system-error.ts';
import { cacheFolder, contextOf } from './defaults.ts';
import { openScorer, type EngineName } from './engines.ts';
import type { EvaluateOptions, EvaluateRequest } from './request.ts';
import { openTokenizer } from './tokenizer.ts';

/** One metric of a task. */
export interface MetricReport {
  readonly score: Figure;
  /** The score by guessing, where there is one. */
  readonly chance?: number;
  readonly base?: Figure;
  /** Candidate − base on the same rows. */
  readonly difference?: PairedDifference;
  /** (score − chance) / (base − chance). */
  readonly retention?: Figure;
}

/** A task's first metric, and all of them by lm-evaluation-harness's names. */
export interface TaskReport extends MetricReport {
  readonly rows: number;
  readonly metrics: Readonly<Record<string, MetricReport>>;
  readonly notes: readonly string[];
}

/** Whether data are a task, not text. */
export function isTask(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/**
 * Runs tasks on a model and, where given, on its base: in one engine, that of the final word.
 *
 * @param request - Its `data` are task files; their rows lie beside them.
 * @throws PithError what `loadTask` and `runTask` throw; `conflict` for a base with another tokenizer.
 */
export async function evaluateTasks(
  request: EvaluateRequest,
  options: EvaluateOptions = {},
): Promise<Record<string, TaskReport>> {
  const tasks: Task[] = [];
  for (const path of request.data) tasks.push(await readTask(path));
  const base = request.against;
  if (base !== undefined) await requireComparable(request.model, base);
  const others = base === undefined ? [] : await runAll(base, tasks, request, options);
  const results = await runAll(request.model, tasks, request, options);
  return Object.fromEntries(
    results.map((result, at) => [result.definition.task, reportOf(result, others[at])]),
  );
}

async function readTask(path: string): Promise<Task> {
  const file = await readTaskFile(path);
  return loadTask(file, { read: (name) => readTaskFile(join(dirname(path), name)) });
}

async function readTaskFile(name: string): Promise<TaskFile> {
  return { name, bytes: await attempt('read', name, () => readFile(name)) };
}

async function requireComparable(candidate: string, base: string): Promise<void> {
  await withModel(candidate, (own) =>
    withModel(base, async (other) => requireSameVocabulary(own, other)),
  );
}

async function runAll(
  reference: string,
  tasks: readonly Task[],
  request: EvaluateRequest,
  options: EvaluateOptions,
): Promise<TaskResult[]> {
  const { cache: temporary = cacheFolder(), threads, signal, onProgress } = options;
  const references = [reference, ...(request.against === undefined ? [] : [request.against])];
  return withModel(reference, async (model) => {
    const contextLength = contextOf(request, [model]);
    const settings = { contextLength, threads, temporary, signal, onProgress };
    const tokenizer = await openTokenizer(references, model);
    try {
      const { scorer } = await openScorer(reference, finalEngine(request), settings);
      try {
        const { bos } = tokenizer;
        const prefixToken = bos ?? closingToken(model);
        const encode = (text: string) => [...tokenizer.encode(text)];
        const asked = { tokenizer: { encode }, prefixToken, addPrefix: bos !== undefined, scorer };
        const results: TaskResult[] = [];
        const running = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
        for (const task of tasks) results.push(await runTask(task, asked, running));
        return results;
      } finally {
        await scorer.close();
      }
    } finally {
      await tokenizer.close();
    }
  });
}

function finalEngine({ engine = 'onnx' }: EvaluateRequest): EngineName {
  return engine === 'both' ? 'llama' : engine;
}

/** For models without an opening token: what ends their documents, else token 0. */
function closingToken({ metadata }: Model): number {
  const eos = metadata.get('tokenizer.ggml.eos_token_id')?.value;
  return typeof eos === 'number' ? eos : 0;
}

async function withModel<T>(reference: string, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await openModel(reference);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

function reportOf(result: TaskResult, base: TaskResult | undefined): TaskReport {
  const compared = base ? compareTasks(result, base) : [];
  const metrics = result.measures.map((measure, at): [string, MetricReport] => {
    const chance = chanceLevel(measure);
    const other = base?.measures[at];
    const { key: _, ...comparison } = compared[at] ?? { key: '' };
    const report = {
      score: measureFigure(measure),
      ...(chance !== undefined && { chance }),
      ...(other && { base: measureFigure(other) }),
      ...comparison,
    };
    return [measure.key, report];
  });
  const { samples, notes } = result;
  return {
    ...metrics[0]![1],
    rows: samples.length,
    metrics: Object.fromEntries(metrics),
    notes,
  };
}
