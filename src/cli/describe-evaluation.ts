import type { Comparison, TailReport } from '../evaluate/summary.ts';
import type { Figure } from '../evaluate/figure.ts';
import type { PairedDifference } from '../evaluate/paired.ts';
import type { Disagreement, EvaluateReport, Measurement } from '../recipes/evaluate/evaluate.ts';
import type { MetricReport, TaskReport } from '../recipes/evaluate/tasks.ts';
import { formatDuration, formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';

/** How a figure is written. */
type Format = (value: number) => string;

/** The figures with their intervals as a table, and what they rest on. */
export function describeEvaluation(report: EvaluateReport): string {
  const { engines = [report], disagreement } = report;
  const blocks = engines.map(
    (measurement) => `${heading(measurement, report)}\n${table(rowsOf(measurement))}`,
  );
  if (disagreement) blocks.push(`llama against onnx\n${table(disagreementRows(disagreement))}`);
  return [...blocks, footing(report)].join('\n\n');
}

/** A row a metric: score, chance, and what the base has. */
export function describeTasks(tasks: Readonly<Record<string, TaskReport>>): string {
  const rows = Object.entries(tasks).flatMap(([name, { metrics, rows: count }]) =>
    Object.entries(metrics).map(([key, metric]) => [
      ...row(`${name} ${key}`, metric.score),
      [`${formatInteger(count)} rows`, ...taskFacts(metric)].join(', '),
    ]),
  );
  return table(rows);
}

function taskFacts({ chance, base, difference, retention }: MetricReport): string[] {
  const differs = difference?.distinguishable ? 'distinguishable' : 'not distinguishable';
  return [
    ...(chance === undefined ? [] : [`by guessing ${fourDigits(chance)}`]),
    ...(base ? [`base ${fourDigits(base.value)}, ${differs}`] : []),
    ...(retention
      ? [`keeps ${row('', retention, percent).slice(1).join(' ')} above guessing`]
      : []),
  ];
}

function heading({ engine, device }: Measurement, { model, against }: EvaluateReport): string {
  const what = against === undefined ? model : `${model} against ${against}`;
  return `${what} (${engine}, ${device})`;
}

function footing({
  tokens,
  documents,
  context,
  stride,
  interval,
  seconds,
}: EvaluateReport): string {
  const unit =
    interval.unit === 'documents'
      ? `clustered by document (they count for ${threeDigits(interval.effective)} of one length)`
      : `over ${interval.count} blocks of this text: too few documents to speak of others`;
  return [
    `${formatInteger(tokens)} tokens of ${formatInteger(documents)} documents, windows of ${context}, ` +
      `stride ${stride}, ${formatDuration(seconds)}.`,
    `95 % intervals, ${unit}.`,
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const right = { heading: '', align: 'right' } as const;
  return formatTable([{ heading: '' }, right, { heading: '' }, { heading: '' }], rows);
}

function rowsOf(measurement: Measurement): string[][] {
  const { perplexity, bitsPerByte, base, tail } = measurement;
  return [
    row('perplexity', perplexity),
    ...(base ? [row('  of the base', base.perplexity)] : []),
    ...(measurement.perplexityRatio
      ? [paired('  ratio', measurement.perplexityRatio, 'the base')]
      : []),
    row('bits per byte', bitsPerByte),
    ...(measurement.klDivergence ? klRows(measurement.klDivergence, tail!) : []),
    ...(measurement.topTokenAgreement
      ? [row('same top token', measurement.topTokenAgreement, percent)]
      : []),
    ...(measurement.deltaP
      ? [
          paired('mean Δp', measurement.deltaP.mean, 'zero', percent),
          row('RMS Δp', measurement.deltaP.rms, percent),
        ]
      : []),
  ];
}

function klRows(
  { mean, median, p99, p999, max }: Comparison['klDivergence'],
  { top, meanProbability, estimatedGap }: TailReport,
): string[][] {
  const beyond =
    meanProbability === 0
      ? 'over the whole vocabulary'
      : `over the top ${top} and the rest (${percent(meanProbability)}) as one: ` +
        `at least this, perhaps ${fine(estimatedGap)} more`;
  return [
    [...row('KL divergence, mean', mean, fine), beyond],
    row('  median', median, fine),
    row('  99 %', p99, fine),
    row('  99.9 %', p999, fine),
    ['  largest', fine(max)],
  ];
}

function disagreementRows({ perplexityRatio, logProb, klDivergence }: Disagreement): string[][] {
  return [
    paired('perplexity ratio', perplexityRatio, 'onnx'),
    row('mean |Δ ln p| of a token', logProb, fine),
    ...(klDivergence ? [paired('mean KL divergence, difference', klDivergence, 'zero', fine)] : []),
  ];
}

function row(name: string, { value, low, high }: Figure, format: Format = fourDigits): string[] {
  return [name, format(value), `[${bound(low, format)}, ${bound(high, format)}]`];
}

function paired(
  name: string,
  figure: PairedDifference,
  from: string,
  format: Format = fine,
): string[] {
  const verdict = figure.distinguishable ? 'distinguishable from' : 'not distinguishable from';
  return [...row(name, figure, format), `${verdict} ${from}`];
}

function bound(value: number, format: Format): string {
  if (Number.isFinite(value)) return format(value);
  return value > 0 ? 'unbounded' : '-unbounded';
}

function fourDigits(value: number): string {
  return value >= 1000 ? formatInteger(value) : value.toPrecision(4);
}

/** Divergences are small: `0.00123`; ratios near 1 need five digits. */
function fine(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-6) return '<0.000001';
  return Math.abs(value) > 0.9 ? value.toFixed(4) : threeDigits(value);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
