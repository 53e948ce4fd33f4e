import type { Candidate, Measured } from '../../evaluate/report/report-data.ts';
import type { MetricReport, TaskReport } from '../evaluate/task-report.ts';
import { bounded } from './bounded.ts';

/** Task scores of a candidate, and of the original where both were measured. */
export interface ReportedTasks {
  readonly candidate: Pick<Candidate, 'tasks' | 'bias'>;
  readonly base: Pick<Measured, 'tasks' | 'bias'>;
}

type Task = NonNullable<Measured['tasks']>[number];

/** The metric of sentence pairs whose first is the stereotype. */
const stereotypeShare = 'pct_stereotype';

/** Scores of tasks as a report holds them: every metric, and bias where a task measures it. */
export function fromTasks(reports: Readonly<Record<string, TaskReport>>): ReportedTasks {
  const scores = Object.entries(reports).flatMap(([name, { rows, metrics }]) =>
    Object.entries(metrics).map(([metric, report]) => ({ name, metric, rows, report })),
  );
  const own = scores.flatMap(({ report, ...task }) => taskOf(task, report));
  const others = scores.flatMap(({ report: { base, chance }, ...task }) =>
    base === undefined
      ? []
      : taskOf(task, { score: base, ...(chance !== undefined && { chance }) }),
  );
  return { candidate: withBias(own), base: withBias(others) };
}

function taskOf(task: Pick<Task, 'name' | 'metric' | 'rows'>, report: MetricReport): Task[] {
  const { score, ...compared } = bounded({
    score: report.score,
    difference: report.difference,
    retention: report.retention,
  });
  if (score === undefined) return [];
  const { chance } = report;
  return [{ ...task, score, ...(chance !== undefined && { chance }), ...compared }];
}

function withBias(tasks: Task[]): Pick<Measured, 'tasks' | 'bias'> {
  const measured = tasks.find(({ metric }) => metric.split(',')[0] === stereotypeShare);
  if (measured === undefined) return { tasks };
  const { name, rows: pairs, score, difference } = measured;
  const bias = { name, pairs, stereotypeShare: score, ...(difference && { difference }) };
  return { tasks, bias };
}
