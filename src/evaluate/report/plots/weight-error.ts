import type { Mark, Spec } from 'vega';
import { percent } from '../numbers.ts';
import { heatInks } from '../palette.ts';
import type { Candidate, ReportData } from '../report-data.ts';
import { innerWidth, styled, type Plot } from './plot.ts';

interface Cell {
  readonly layer: number;
  /** `attn_q`: the tensor's name without its layer. */
  readonly kind: string;
  readonly step: number;
}

const margins = { left: 34, bottom: 96 };
const legendWidth = 180;
const swatch = legendWidth / heatInks.length;

/** How far rounding moved the weights: one map a candidate, layers down, kinds of tensor across. */
export function weightErrorPlots({ candidates }: ReportData): Plot[] {
  const errors = candidates
    .flatMap(({ weights }) => weights?.tensors ?? [])
    .map(({ relativeError }) => relativeError)
    .filter((error) => error > 0);
  if (errors.length === 0) return [];
  const limits = { low: Math.min(...errors), high: Math.max(...errors) };
  return candidates.flatMap((candidate, at) => weightErrorPlot(candidate, at, limits) ?? []);
}

interface Limits {
  readonly low: number;
  readonly high: number;
}

function weightErrorPlot({ label, weights }: Candidate, at: number, limits: Limits) {
  if (!weights) return undefined;
  const lossy = weights.tensors.filter(({ relativeError }) => relativeError > 0);
  const cells = lossy.flatMap(({ name, relativeError }) => {
    const [, layer, kind] = /^blk\.(\d+)\.(.+?)(?:\.weight)?$/.exec(name) ?? [];
    return kind === undefined
      ? []
      : [{ layer: Number(layer), kind, step: stepOf(relativeError, limits) }];
  });
  const worst = lossy.toSorted((a, b) => b.relativeError - a.relativeError)[0];
  const plot: Plot = {
    id: `weight-error-${at + 1}`,
    title: label,
    description:
      `Error of each weight matrix in ${label}, layers from top to bottom, kinds of matrix across; ` +
      `all together ${percent(weights.relativeError)}` +
      `${worst ? `, most in ${worst.name} with ${percent(worst.relativeError)}` : ''}.`,
    spec: mapSpec(cells, limits),
    table: {
      columns: ['Tensor', 'Type', 'Error, % of its size'],
      rows: weights.tensors.map(({ name, type, relativeError }) => [
        name,
        type,
        percent(relativeError),
      ]),
    },
  };
  return plot;
}

/** Which of the colours: equal ratios of the error are equal steps, the same for all candidates. */
function stepOf(error: number, { low, high }: Limits): number {
  if (high <= low) return heatInks.length - 1;
  const place = Math.log(error / low) / Math.log(high / low);
  return Math.min(heatInks.length - 1, Math.floor(place * heatInks.length));
}

function mapSpec(cells: readonly Cell[], limits: Limits): Spec {
  const layers = [...new Set(cells.map(({ layer }) => layer))].sort((a, b) => a - b);
  const kinds = [...new Set(cells.map(({ kind }) => kind))];
  const rowHeight = Math.min(22, Math.max(6, 320 / Math.max(1, layers.length)));
  const every = Math.ceil(layers.length / Math.floor((rowHeight * layers.length) / 16 || 1));
  return styled('Layer', rowHeight * layers.length + 34 + margins.bottom, margins, {
    data: [
      {
        name: 'cells',
        values: cells.map(({ step, ...cell }) => ({ ...cell, color: heatInks[step]!.light })),
      },
      { name: 'legend', values: heatInks.map(({ light }, at) => ({ color: light, at })) },
    ],
    scales: [
      { name: 'kind', type: 'band', domain: kinds, range: 'width', padding: 0.06 },
      { name: 'layer', type: 'band', domain: layers, range: 'height', paddingInner: 0.08 },
    ],
    axes: [
      { orient: 'left', scale: 'layer', values: layers.filter((_, at) => at % every === 0) },
      { orient: 'bottom', scale: 'kind', labelAngle: -40, labelAlign: 'right', labelPadding: 8 },
    ],
    marks: [cellMarks, ...legendMarks(limits)],
  });
}

const cellMarks: Mark = {
  type: 'rect',
  from: { data: 'cells' },
  encode: {
    enter: {
      x: { scale: 'kind', field: 'kind' },
      width: { scale: 'kind', band: 1 },
      y: { scale: 'layer', field: 'layer' },
      height: { scale: 'layer', band: 1 },
      fill: { field: 'color' },
    },
  },
};

function legendMarks({ low, high }: Limits): Mark[] {
  const left = (innerWidth(margins) - legendWidth) / 2;
  const y = { signal: 'height', offset: 70 };
  const end = (text: string, x: number, align: 'left' | 'right'): Mark => ({
    type: 'text',
    encode: {
      enter: {
        x: { value: x },
        y: { ...y, offset: 81 },
        align: { value: align },
        text: { value: text },
        baseline: { value: 'middle' },
        fontSize: { value: 11 },
      },
    },
  });
  return [
    {
      type: 'rect',
      from: { data: 'legend' },
      encode: {
        enter: {
          x: { field: 'at', mult: swatch, offset: left },
          width: { value: swatch - 1 },
          y,
          height: { value: 12 },
          fill: { field: 'color' },
        },
      },
    },
    end(percent(low), left - 6, 'right'),
    end(percent(high), left + legendWidth + 6, 'left'),
  ];
}
