import type { Mark, Spec } from 'vega';
import type { Figure } from '../../figure.ts';
import { differsFromZero, shareWithInterval, signedWithInterval } from '../numbers.ts';
import { palette, seriesInk } from '../palette.ts';
import type { ReportData } from '../report-data.ts';
import { shortLabel, styled, type Plot } from './plot.ts';

interface Difference {
  readonly label: string;
  readonly figure: Figure;
  readonly color: string;
}

const rowHeight = 46;
const margins = { left: 10, bottom: 30 };

/** Change of a bias score against the original, paired on the same sentence pairs. */
export function biasPlot({ base, candidates }: ReportData): Plot | undefined {
  const rows = candidates.flatMap(({ label, bias }, at) =>
    bias?.difference === undefined
      ? []
      : [{ label, figure: bias.difference, color: seriesInk(at).light }],
  );
  const scored = [base, ...candidates].filter(({ bias }) => bias !== undefined);
  if (rows.length === 0) return undefined;
  return {
    id: 'bias',
    title: 'Bias',
    description:
      'Change of the share of sentence pairs in which the stereotype is the likelier one, ' +
      `in percentage points with 95 % intervals. ${rows.map(describe).join(' ')}`,
    spec: differencesSpec('Change against the original, percentage points', rows),
    table: {
      columns: ['Version', 'Data', 'Pairs', 'Stereotype likelier', 'Change, percentage points'],
      rows: scored.map(({ label, bias }) => [
        label,
        bias!.name,
        String(bias!.pairs),
        shareWithInterval(bias!.stereotypeShare),
        bias!.difference === undefined ? '' : signedWithInterval(bias!.difference, 100),
      ]),
    },
  };
}

function describe({ label, figure }: Difference): string {
  const verdict = differsFromZero(figure) ? 'a change' : 'no change that can be told from chance';
  return `${label}: ${signedWithInterval(figure, 100)}, ${verdict}.`;
}

/** Dots with intervals around a line at zero. */
export function differencesSpec(heading: string, rows: readonly Difference[]): Spec {
  const values = rows.map(({ label, figure, color }) => ({
    label,
    name: shortLabel(label),
    color,
    text: signedWithInterval(figure, 100),
    value: figure.value * 100,
    low: figure.low * 100,
    high: figure.high * 100,
  }));
  const reach = Math.max(...values.map(({ low, high }) => Math.max(-low, high, 0.1))) * 1.05;
  return styled(heading, rows.length * rowHeight + 66, margins, {
    data: [{ name: 'rows', values }],
    scales: [
      { name: 'row', type: 'band', domain: rows.map(({ label }) => label), range: 'height' },
      { name: 'value', type: 'linear', domain: [-reach, reach], range: 'width' },
    ],
    axes: [{ orient: 'bottom', scale: 'value', grid: true, tickCount: 5, format: '+~g' }],
    marks: [zeroLine, ...rowMarks],
  });
}

const y = (offset: number) => ({ scale: 'row', field: 'label', offset });
const dotAt = y(30);

const zeroLine: Mark = {
  type: 'rule',
  encode: {
    enter: {
      x: { scale: 'value', value: 0 },
      y: { value: 0 },
      y2: { signal: 'height' },
      stroke: { value: palette.ink.light },
      strokeWidth: { value: 1.5 },
    },
  },
};

const rowMarks: readonly Mark[] = [
  {
    type: 'rule',
    from: { data: 'rows' },
    encode: {
      enter: {
        x: { scale: 'value', field: 'low' },
        x2: { scale: 'value', field: 'high' },
        y: dotAt,
        stroke: { field: 'color' },
        strokeWidth: { value: 2.5 },
      },
    },
  },
  {
    type: 'symbol',
    from: { data: 'rows' },
    encode: {
      enter: {
        x: { scale: 'value', field: 'value' },
        y: dotAt,
        size: { value: 70 },
        fill: { field: 'color' },
        stroke: { value: palette.paper.light },
        strokeWidth: { value: 1.5 },
      },
    },
  },
  {
    type: 'text',
    from: { data: 'rows' },
    encode: {
      enter: { x: { value: 0 }, y: y(14), text: { field: 'name' } },
    },
  },
  {
    type: 'text',
    from: { data: 'rows' },
    encode: {
      enter: {
        x: { signal: 'width' },
        y: y(14),
        align: { value: 'right' },
        text: { field: 'text' },
        fill: { value: palette.muted.light },
      },
    },
  },
];
