/**
 * Tasks: questions with right answers, as data files in lm-evaluation-harness's names.
 *
 * @module
 */
export type { Answer, Embedding, FreeText, RowAnswer } from './ask.ts';
export { askedBy, type Asked } from './asked.ts';
export { resultsByFile } from './by-file.ts';
export { compareTasks, type MetricComparison } from './compare.ts';
export { parseTask, type TaskDefinition } from './definition.ts';
export { chanceLevel, measureFigure, type Measure } from './measure.ts';
export type { GenerateOptions, TaskModel, WrittenText } from './model.ts';
export { harnessResults, harnessSamples, type HarnessResults } from './results.ts';
export { retention } from './retention.ts';
export { runTask, type RunOptions, type TaskResult, type TaskSample } from './run.ts';

export { loadTask, type Task, type TaskSources } from './task.ts';
export type { TaskFile } from './text.ts';
