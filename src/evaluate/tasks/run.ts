import { PithError } from '../../util/errors.ts';
import { inOrder } from '../../util/in-order.ts';
import type { OnProgress } from '../../util/progress.ts';
import { ask, cannot, type Answer, type Embedding, type RowAnswer } from './ask.ts';
import type { TaskDefinition } from './definition.ts';
import type { Measure } from './measure.ts';
import type { TaskModel } from './model.ts';
import { questionsOf } from './questions.ts';
import { rankDocuments, retrievalQuestions } from './retrieval.ts';
import type { Row } from './row.ts';
import { measuresOf, rankMeasures, type Answered } from './score.ts';
import type { Task } from './task.ts';

/** Questions put to a model at once: some engines compute several windows together. */
const questionsAtOnce = 4;

/** How to run a task. */
export interface RunOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Answers of an earlier run by number; they are not asked for again. */
  readonly answered?: ReadonlyMap<number, Answer>;
  /**
   * Gets each new answer, to keep it. They are numbered from 0: by row, in retrieval first by document
   * and then by query.
   */
  readonly onAnswer?: (number: number, answer: Answer) => void;
}

/** What was asked about a row, what came back and what was right. */
export interface TaskSample {
  readonly row: Row;
  readonly context: string;
  readonly continuations: readonly string[];
  /** Indexes of the right choices. */
  readonly gold: readonly number[];
  readonly targets: readonly string[];
  /** Absent for retrieval, whose answers are rankings of the whole corpus. */
  readonly answer?: RowAnswer;
}

/** A model's answers to a task and its metrics. */
export interface TaskResult {
  readonly definition: TaskDefinition;
  readonly measures: readonly Measure[];
  readonly samples: readonly TaskSample[];
  /** What a reader of the numbers should know. */
  readonly notes: readonly string[];
}

/**
 * Runs a task: asks a model about every row and scores the answers.
 *
 * @throws {@link PithError} as `questionsOf` for bad rows, before the model is asked anything;
 *   `unsupported` when the model cannot do what the task asks; `cancelled`; whatever the model throws.
 * @remarks A forward pass a choice, or one a row where all choices are single tokens. Scores checked
 *   against lm-evaluation-harness 0.4.13 on the same likelihoods: test/golden/lm-eval.json.
 */
export async function runTask(
  task: Task,
  model: TaskModel,
  options: RunOptions = {},
): Promise<TaskResult> {
  const { definition } = task;
  if (definition.output_type === 'retrieval') return runRetrieval(task, model, options);
  const questions = questionsOf(task);
  const answered: Answered[] = [];
  const asked = inOrder(questions.entries(), questionsAtOnce, async ([row, question]) => {
    if (options.signal?.aborted)
      throw new PithError('cancelled', `${definition.task} was stopped.`);
    const known = options.answered?.get(row) as RowAnswer | undefined;
    return { known, answer: known ?? (await ask(model, definition, question, options.signal)) };
  });
  for await (const { known, answer } of asked) {
    const row = answered.length;
    answered.push({ question: questions[row]!, answer });
    if (known !== undefined) continue;
    options.onAnswer?.(row, answer);
    report(definition, options, row + 1, questions.length);
  }
  const samples = answered.map(({ question, answer }) => ({ ...question, answer }));
  return {
    definition,
    measures: measuresOf(definition, answered),
    samples,
    notes: [...notesOf(task), ...cutNotes(answered)],
  };
}

async function runRetrieval(
  task: Task,
  model: TaskModel,
  options: RunOptions,
): Promise<TaskResult> {
  const { definition } = task;
  const questions = retrievalQuestions(task);
  const total = questions.documents.length + questions.queries.length;
  const { onAnswer } = options;
  const rankings = await rankDocuments(questions, {
    embed: model.embed ?? (() => Promise.reject(cannot(definition, 'embeds no texts'))),
    known: options.answered as ReadonlyMap<number, Embedding> | undefined,
    onVector: (number, vector) => {
      onAnswer?.(number, { vector: [...vector] });
      report(definition, options, number + 1, total);
    },
    signal: options.signal,
  });
  const samples = questions.queries.map(({ row, text, grades }) => {
    return { row, context: text, continuations: [], gold: [], targets: [...grades.keys()] };
  });
  return {
    definition,
    measures: rankMeasures(definition, rankings),
    samples,
    notes: notesOf(task),
  };
}

function report({ task }: TaskDefinition, options: RunOptions, done: number, total: number): void {
  options.onProgress?.({ label: task, done, total, unit: 'steps' });
}

function notesOf({ rows, available }: Task): string[] {
  if (rows.length === available) return [];
  return [`Only ${rows.length} of ${available} rows were asked: the first of each file.`];
}

function cutNotes(answered: readonly Answered[]): string[] {
  const cut = answered.filter(({ answer }) => answer.truncated > 0).length;
  if (cut === 0) return [];
  return [`${cut} of ${answered.length} rows are longer than the model's window: cut on the left.`];
}
