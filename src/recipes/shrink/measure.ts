import type { Figure } from '../../evaluate/figure.ts';
import { PithError } from '../../util/errors.ts';
import { evaluate, type EvaluateReport } from '../evaluate/evaluate.ts';
import { inSession } from '../evaluate/in-session.ts';
import { sortData } from '../evaluate/sort-data.ts';
import { evaluateTasks, type TasksReport } from '../evaluate/tasks.ts';
import type { ShrinkRequest, ShrinkTarget } from './request.ts';

/** What a file was found to keep, as it runs in llama.cpp; the one of texts, of tasks, or both. */
export interface FileMeasurement {
  readonly text?: EvaluateReport;
  readonly tasks?: TasksReport;
}

/** What to measure files on when nothing is said: a text that no calibration text in the box has anything of. */
export const defaultEvaluation: readonly string[] = ['sample'];

/**
 * Measures a file against the model it was made from.
 *
 * @throws PithError what `evaluate` and `evaluateTasks` throw.
 */
export async function measureFile(
  path: string,
  request: ShrinkRequest,
  target: ShrinkTarget,
): Promise<FileMeasurement> {
  const { model: against, evaluation = defaultEvaluation, maxTokens, taskData, limit } = request;
  const { texts, tasks } = await sortData(evaluation);
  const common = { model: path, against, engine: 'llama' } as const;
  const ofTexts = { ...common, data: texts, maxTokens };
  const ofTasks = { ...common, data: tasks, taskData, limit };
  return inSession(target, async (options) => {
    const text = texts.length > 0 ? await evaluate(ofTexts, options) : undefined;
    const answered = tasks.length > 0 ? await evaluateTasks(ofTasks, options) : undefined;
    return { ...(text && { text }), ...(answered && { tasks: answered }) };
  });
}

/** What of a model a file keeps. */
export interface Retention {
  /** In words: `retention of arc_easy`. */
  readonly what: string;
  readonly figure: Figure;
}

/**
 * The least that a file keeps: of tasks, (score − chance) / (original's − chance) of the task whose lower
 * bound is lowest; without tasks the share of tokens where it finds the same next token likeliest.
 *
 * @throws PithError `unsupported` for a task on which the original is no better than guessing.
 */
export function retentionOf({ text, tasks }: FileMeasurement): Retention {
  if (!tasks) return { what: 'top-token agreement on text', figure: text!.topTokenAgreement! };
  const all = Object.entries(tasks.tasks).map(([name, { retention }]): Retention => {
    if (retention) return { what: `retention of ${name}`, figure: retention };
    throw new PithError(
      'unsupported',
      `The original is no better than chance at ${name}: there is nothing to keep.`,
      'Give another task to --eval, or a text.',
    );
  });
  return all.toSorted((a, b) => a.figure.low - b.figure.low)[0]!;
}
