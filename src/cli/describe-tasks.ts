import type { Figure } from '../evaluate/figure.ts';
import type { MetricReport, MetricsReport, TaskReport } from '../recipes/evaluate/task-report.ts';
import { formatInteger } from '../util/format-units.ts';
import { fine, fourDigits, paired, percent, row, table } from './figure-rows.ts';

/** A block a task: its metrics, what became of the base's, the engines and the data files. */
export function describeTasks(tasks: Readonly<Record<string, TaskReport>>): string {
  const blocks = Object.entries(tasks).map(([name, task]) => {
    const { engines = [], files = {}, disagreement = {} } = task;
    const title = `${name}, ${formatInteger(task.rows)} rows`;
    const final = engines.at(-1) ? `${title} (${engines.at(-1)!.engine})` : title;
    const others = engines
      .slice(0, -1)
      .map((other) => [`${title} (${other.engine})`, other] as const);
    return [
      ...others.map(([heading, other]) => `${heading}\n${table(metricRows(other))}`),
      `${final}\n${table([
        ...metricRows(task),
        ...Object.entries(disagreement).map(([key, figure]) =>
          paired(`${key}, llama − onnx`, figure, 'zero'),
        ),
      ])}`,
      ...(Object.keys(files).length > 0 ? [table(fileRows(files))] : []),
    ].join('\n\n');
  });
  return [...blocks, '95 % intervals; rows count as independent.'].join('\n\n');
}

function metricRows({ metrics }: MetricsReport): string[][] {
  return Object.entries(metrics).flatMap(([key, metric]) => {
    const { score, chance, base, difference, retention } = metric;
    const guessing = chance === undefined ? '' : `by guessing ${fourDigits(chance)}`;
    return [
      [...row(key, score), guessing],
      ...(base ? [row('  of the base', base)] : []),
      ...(difference ? [paired('  difference', difference, 'zero')] : []),
      ...(retention ? [retentionRow(retention)] : []),
    ];
  });
}

/** Nothing is a share of nothing: a base that does no better than guessing has no retention. */
function retentionRow(retention: Figure): string[] {
  if (Number.isNaN(retention.value)) return ['  retention', '-', '', 'the base is at guessing'];
  return [...row('  retention', retention, percent), 'of what is above guessing'];
}

/** The first metric of each data file. */
function fileRows(files: Readonly<Record<string, MetricsReport>>): string[][] {
  const names = Object.keys(files).map(withoutFolder);
  const areUnique = new Set(names).size === names.length;
  return Object.entries(files).map(([path, part], at) => [
    ...row(areUnique ? names[at]! : path, part.score),
    [`${formatInteger(part.rows)} rows`, ...comparedWith(part)].join(', '),
  ]);
}

function comparedWith({ base, difference }: MetricReport): string[] {
  if (!base || !difference) return [];
  const verdict = difference.distinguishable ? 'distinguishable' : 'not distinguishable';
  return [`base ${fourDigits(base.value)}, difference ${fine(difference.value)}, ${verdict}`];
}

/** `transitive` of `blimp/transitive.jsonl`. */
function withoutFolder(path: string): string {
  return path.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
}
