import { join } from 'node:path';
import { runTask, type TaskResult } from '../../evaluate/tasks/index.ts';
import type { OnProgress } from '../../util/progress.ts';
import { AnswerFile } from './answer-file.ts';
import { enginesOf, type EngineName } from './engines.ts';
import { keptScores, orStopped } from '../interrupted.ts';
import { keyOf, type MeasuredModel } from './measurement.ts';
import type { EvaluateOptions, EvaluateRequest } from './request.ts';
import { inSession, type SessionOptions } from './in-session.ts';
import { requireAbility, TaskEngine } from './task-engine.ts';
import { readTasks } from './task-files.ts';
import { planTasks, type PlannedTask, type TasksPlan } from './task-plan.ts';
import { reportTask, type TaskReport } from './task-report.ts';

/** What tasks say of a model. */
export interface TasksReport {
  readonly model: string;
  readonly against?: string;
  readonly data: readonly string[];
  readonly engine: EngineName;
  readonly tasks: Readonly<Record<string, TaskReport>>;
  readonly seconds: number;
  readonly notes: readonly string[];
}

/**
 * Runs tasks on a model and, where given, on its base, in one engine or in both.
 *
 * Answers are kept as they come: an interrupted evaluation continues when the same one is asked for
 * again, and ends with the same figures. The base's answers stay for the next candidate.
 *
 * @param request - Its `data` are task files or tasks in the box.
 * @throws PithError what `readTasks` and `runTask` throw; `unsupported` for tasks that an engine cannot
 *   do; `conflict` for a base with another tokenizer; `cancelled`.
 */
export function evaluateTasks(
  request: EvaluateRequest,
  options: EvaluateOptions = {},
): Promise<TasksReport> {
  return inSession(options, (given) => answerTasks(request, given));
}

async function answerTasks(
  request: EvaluateRequest,
  options: SessionOptions,
): Promise<TasksReport> {
  const started = performance.now();
  const engines = enginesOf(request.engine);
  const tasks = (await readTasks(request.data, request)).map(({ task }) => task);
  for (const { definition } of tasks)
    for (const engine of engines) requireAbility(definition, engine);
  const plan = await planTasks(tasks, request, options);
  const found: EngineAnswers[] = [];
  try {
    for (const engine of engines) {
      found.push(
        await orStopped(options.signal, keptScores, () => answerAll(plan, engine, options)),
      );
    }
  } finally {
    await plan.close();
  }
  const reports = tasks.map(({ definition }, at): [string, TaskReport] => {
    const answered = found.map(({ engine, own, base }) => {
      return { engine, result: own.results[at]!, other: base?.results[at] };
    });
    return [definition.task, reportTask(answered)];
  });
  return {
    model: request.model,
    ...(request.against !== undefined && { against: request.against }),
    data: request.data,
    engine: engines.at(-1)!,
    tasks: Object.fromEntries(reports),
    seconds: (performance.now() - started) / 1000,
    notes: found.flatMap(({ own, base }) => [...(base?.notes ?? []), ...own.notes]),
  };
}

/** One model's answers to all tasks. */
interface ModelAnswers {
  readonly results: readonly TaskResult[];
  readonly notes: readonly string[];
}

interface EngineAnswers {
  readonly engine: EngineName;
  readonly own: ModelAnswers;
  readonly base: ModelAnswers | undefined;
}

/** The base first, unless an earlier evaluation left its answers. */
async function answerAll(
  plan: TasksPlan,
  engine: EngineName,
  options: SessionOptions,
): Promise<EngineAnswers> {
  const base =
    plan.against && (await answer(plan, { ...plan.against, kind: 'base' }, engine, options));
  const own = await answer(plan, { ...plan.model, kind: 'candidate' }, engine, options);
  return { engine, own, base };
}

type Role = MeasuredModel & { readonly kind: 'base' | 'candidate' };

async function answer(
  { tasks, cache, contextLength, reading }: TasksPlan,
  role: Role,
  engineName: EngineName,
  options: SessionOptions,
): Promise<ModelAnswers> {
  const settings = { ...options, contextLength, temporary: cache, reading };
  const engine = new TaskEngine(role.reference, engineName, settings);
  const results: TaskResult[] = [];
  const notes: string[] = [];
  try {
    for (const planned of tasks) {
      const key = keyOf([role.kind, engineName, role.hash, planned.hash, String(contextLength)]);
      const path = join(cache, `${role.kind}-${key.slice(0, 16)}.answers`);
      const file = await AnswerFile.open(path, key);
      if (role.kind === 'candidate') options.session.keep(path);
      const label = `${planned.task.definition.task}, ${role.reference} (${engineName})`;
      notes.push(...keptNotes(file, planned, label));
      try {
        results.push(await answerTask(planned, engine, file, { ...options, label }));
      } finally {
        await file.close();
      }
    }
    return { results, notes: [...notes, ...engine.notes] };
  } finally {
    await engine.close();
  }
}

/** Puts to the model what it has not answered yet; with all answers there, it is not even opened. */
async function answerTask(
  { task, answers }: PlannedTask,
  engine: TaskEngine,
  file: AnswerFile,
  { signal, onProgress, label }: EvaluateOptions & { readonly label: string },
): Promise<TaskResult> {
  const isComplete = file.found.size >= answers;
  const { output_type } = task.definition;
  const model = await (isComplete ? engine.reading : engine.modelFor(output_type));
  const reported: OnProgress | undefined =
    onProgress && ((event) => onProgress({ ...event, label }));
  return runTask(task, model, {
    answered: file.found,
    onAnswer: (number, given) => file.add(number, given),
    ...(signal && { signal }),
    ...(reported && { onProgress: reported }),
  });
}

function keptNotes({ found, path }: AnswerFile, { answers }: PlannedTask, label: string): string[] {
  if (found.size === 0) return [];
  if (found.size >= answers) return [`Answers of ${label} are those kept in ${path}.`];
  return [`Continued an interrupted run of ${label} at answer ${found.size + 1} of ${answers}.`];
}
