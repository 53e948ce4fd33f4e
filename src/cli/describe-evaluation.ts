import type { Comparison, TailReport } from '../evaluate/summary.ts';
import type { Disagreement, EvaluateReport, Measurement } from '../recipes/evaluate/evaluate.ts';
import { formatDuration, formatInteger, threeDigits } from '../util/format-units.ts';
import { fine, paired, percent, row, table } from './figure-rows.ts';

/** The figures with their intervals as a table, and what they rest on. */
export function describeEvaluation(report: EvaluateReport): string {
  const { engines = [report], disagreement } = report;
  const blocks = engines.map(
    (measurement) => `${heading(measurement, report)}\n${table(rowsOf(measurement))}`,
  );
  if (disagreement) blocks.push(`llama against onnx\n${table(disagreementRows(disagreement))}`);
  return [...blocks, footing(report)].join('\n\n');
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
