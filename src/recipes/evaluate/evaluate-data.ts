import { evaluate, type EvaluateReport } from './evaluate.ts';
import type { EvaluateOptions, EvaluateRequest } from './request.ts';
import { inSession } from './in-session.ts';
import { requireUsed, sortData } from './sort-data.ts';
import type { TasksReport } from './tasks.ts';

/** Figures of texts, of tasks, or of both. */
export type DataReport = (EvaluateReport | TasksReport) & Partial<Pick<TasksReport, 'tasks'>>;

/**
 * Measures a model on texts with `evaluate` and on tasks with `evaluateTasks`, whatever `data` holds.
 *
 * @throws PithError what these throw; `usage` for options of texts without a text, and of tasks without
 *   a task.
 */
export function evaluateData(
  request: EvaluateRequest,
  options: EvaluateOptions = {},
): Promise<DataReport> {
  return inSession(options, async (given) => {
    const { data } = request;
    const { texts, tasks } = await sortData(data);
    requireUsed(request, { texts, tasks });
    const isText = texts.length > 0 || tasks.length === 0;
    const measured = isText ? await evaluate({ ...request, data: texts }, given) : undefined;
    const answered = tasks.length > 0 ? await ask({ ...request, data: tasks }, given) : undefined;
    const notes = [...(measured?.notes ?? []), ...(answered?.notes ?? [])];
    const seconds = (measured?.seconds ?? 0) + (answered?.seconds ?? 0);
    return { ...answered!, ...measured, data, seconds, notes };
  });
}

async function ask(request: EvaluateRequest, options: EvaluateOptions): Promise<TasksReport> {
  const { evaluateTasks } = await import('./tasks.ts');
  return evaluateTasks(request, options);
}
