import type { Figure } from '../evaluate/figure.ts';
import { formatBytes, formatDuration, formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';
import type { PredictionOutput, ShrinkOutput } from './shrink-output.ts';

type File = ShrinkOutput['files'][number];

/** What was made, each file above the mix of llama.cpp beside it. */
export function describeShrink(report: ShrinkOutput): string {
  const { files, card, recipe, evidence, seconds, steps } = report;
  const head = [
    '',
    'bytes',
    'bits/weight',
    'KL predicted',
    'KL measured',
    'same token',
    'worst task',
  ];
  const rows = files.flatMap((file) => [rowOf(file), referenceRow(file)]);
  return [
    table(head, rows),
    'KL: nats per token against the original, 95 % interval, the file as it runs in llama.cpp.',
    ...files.map(({ output }) => `${output}: the model`),
    ...files.map(
      ({ tensorTypes }) => `${tensorTypes}: its types, for llama-quantize --tensor-type-file`,
    ),
    `${card.html}: the report, with intervals and the curve of all sizes`,
    `${recipe}: to repeat it · ${evidence}: serves further sizes`,
    `${steps.filter(({ done }) => done).length} steps in ${formatDuration(seconds)}`,
  ].join('\n');
}

function rowOf({ label, bytes, bitsPerWeight, predicted, measured }: File): string[] {
  const { klDivergence } = predicted;
  return [
    label,
    formatInteger(bytes),
    bitsPerWeight.toFixed(2),
    klDivergence.toPrecision(3),
    ...figuresOf(measured),
  ];
}

function referenceRow({ reference: { type, bytes, measured } }: File): string[] {
  return [`  ${type} of llama.cpp`, formatInteger(bytes), '', '', ...figuresOf(measured)];
}

function figuresOf({ klDivergence, topTokenAgreement, tasks }: File['measured']): string[] {
  const retained = Object.values(tasks ?? {}).flatMap(({ retention }) =>
    retention ? [retention] : [],
  );
  const worst = retained.toSorted((a, b) => a.low - b.low)[0];
  return [
    klDivergence ? interval(klDivergence.mean, (value) => value.toPrecision(3)) : '',
    topTokenAgreement ? interval(topTokenAgreement, percent) : '',
    worst ? interval(worst, percent) : '',
  ];
}

function interval({ value, low, high }: Figure, text: (value: number) => string): string {
  return `${text(value)} (${text(low)} to ${text(high)})`;
}

function percent(value: number): string {
  return `${threeDigits(100 * value)} %`;
}

/** What would be made. */
export function describePrediction({ files, evidence, seconds }: PredictionOutput): string {
  const rows = files.map(({ label, bytes, bitsPerWeight, predicted }) => [
    label,
    `${formatInteger(bytes)} (${formatBytes(bytes)})`,
    bitsPerWeight.toFixed(2),
    predicted.klDivergence.toPrecision(3),
  ]);
  return [
    table(['', 'bytes', 'bits/weight', 'KL predicted'], rows),
    `No model was written (--dry-run); ${evidence} is kept. ${formatDuration(seconds)}.`,
  ].join('\n\n');
}

/** Columns without a cell are left out. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.flatMap((_, at) => (at === 0 || rows.some((row) => row[at]) ? [at] : []));
  const columns = used.map((at) => ({
    heading: head[at]!,
    align: at > 0 ? ('right' as const) : ('left' as const),
  }));
  return formatTable(
    columns,
    rows.map((row) => used.map((at) => row[at]!)),
  );
}
