import type { Figure } from '../figure.ts';
import { chanceLevel, measureFigure, standardError, type Measure } from './measure.ts';
import type { TaskResult, TaskSample } from './run.ts';

/** Results in the shape of lm-evaluation-harness's `results.json`, with our figures beside them. */
export interface HarnessResults {
  /** By task: `acc,none`, `acc_stderr,none`, `alias`. */
  readonly results: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly versions: Readonly<Record<string, number | string>>;
  readonly 'n-shot': Readonly<Record<string, number>>;
  readonly higher_is_better: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  readonly 'n-samples': Readonly<Record<string, { original: number; effective: number }>>;
  /** Ours. By task and metric: value, 95 % interval and chance level. */
  readonly figures: Readonly<
    Record<string, Readonly<Record<string, Figure & { chance?: number }>>>
  >;
  /** Ours. By task: what a reader should know. */
  readonly notes: Readonly<Record<string, readonly string[]>>;
}

/** Gathers the results of tasks. */
export function harnessResults(tasks: readonly TaskResult[]): HarnessResults {
  const perTask = <T>(of: (task: TaskResult) => T): Record<string, T> => {
    return Object.fromEntries(tasks.map((task) => [task.definition.task, of(task)]));
  };
  return {
    results: perTask(scoresOf),
    versions: perTask(({ definition }) => definition.metadata.version ?? 'Yaml'),
    'n-shot': perTask(({ definition }) => definition.num_fewshot ?? 0),
    higher_is_better: perTask(({ measures }) => {
      return byName(measures, ({ rule }) => rule.higherIsBetter);
    }),
    'n-samples': perTask(({ samples: { length } }) => ({ original: length, effective: length })),
    figures: perTask(({ measures }) => Object.fromEntries(measures.map(figureEntry))),
    notes: perTask(({ notes }) => notes),
  };
}

/** A task's rows in the shape of lm-evaluation-harness's `samples_TASK.jsonl`. */
export function harnessSamples({ samples, measures, definition }: TaskResult): object[] {
  return samples.map((sample, row) => ({
    doc_id: row,
    doc: sample.row.values,
    target: definition.output_type === 'multiple_choice' ? sample.gold : sample.targets,
    arguments: argumentsOf(sample),
    resps: responses(sample),
    ...Object.fromEntries(measures.map((measure) => [measure.key, scoreOf(measure, row)])),
  }));
}

function scoresOf({ definition, measures }: TaskResult): Record<string, number | string> {
  const entries = measures.flatMap((measure): [string, number][] => {
    const [metric, filter] = measure.key.split(',');
    return [
      [measure.key, measureFigure(measure).value],
      [`${metric}_stderr,${filter}`, standardError(measure)],
    ];
  });
  return { alias: definition.task_alias ?? definition.task, ...Object.fromEntries(entries) };
}

function byName<T>(measures: readonly Measure[], of: (measure: Measure) => T): Record<string, T> {
  return Object.fromEntries(measures.map((measure) => [measure.key.split(',')[0]!, of(measure)]));
}

function figureEntry(measure: Measure): [string, Figure & { chance?: number }] {
  const chance = chanceLevel(measure);
  return [measure.key, { ...measureFigure(measure), ...(chance !== undefined && { chance }) }];
}

function scoreOf(measure: Measure, row: number): number | readonly [number, number] {
  return 'classes' in measure ? measure.classes[row]! : measure.scores[row]!;
}

function argumentsOf({ context, continuations }: TaskSample): string[][] {
  if (continuations.length === 0) return [[context]];
  return continuations.map((continuation) => [context, continuation]);
}

/** Of likelihoods `[log-likelihood, greedy]`, of generation the text. */
function responses({ answer }: TaskSample): unknown[] {
  if (answer === undefined) return [];
  if ('text' in answer) return [[answer.text]];
  return answer.answers.map(({ logLikelihood, greedy }) => [[logLikelihood, greedy]]);
}
