import type { Mark, Spec } from 'vega';
import { formatInteger } from '../../../util/format-units.ts';
import { digits, percent } from '../numbers.ts';
import { seriesInk } from '../palette.ts';
import type { Candidate, ReportData } from '../report-data.ts';
import { styled, type Plot } from './plot.ts';

type Histogram = NonNullable<Candidate['klHistogram']>;

interface Counted extends Candidate {
  readonly klHistogram: Histogram;
}

/** Strokes beside the colours, for those to whom the colours look alike. */
const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

const mostTicks = 5;
/** Characters of a name from which on a legend has one column. */
const longName = 14;

/** How the loss spreads over the tokens: share of tokens by KL divergence. */
export function klHistogramPlot({ candidates }: ReportData): Plot | undefined {
  const counted = candidates.filter((c): c is Counted => c.klHistogram !== undefined);
  if (counted.length === 0) return undefined;
  const colors = counted.map((candidate) => seriesInk(candidates.indexOf(candidate)).light);
  return {
    id: 'kl-histogram',
    title: 'Where the loss sits',
    description:
      'Share of tokens (up) by KL divergence to the original (across, equal steps are equal ratios), ' +
      `one line a version. ${counted.map(describe).join(' ')}`,
    spec: histogramSpec(counted, colors),
    table: {
      columns: ['Version', 'KL divergence, nats per token', 'Tokens', 'Share'],
      rows: counted.flatMap(rowsOf),
    },
  };
}

function histogramSpec(counted: readonly Counted[], colors: string[]): Spec {
  const domain = occupied(counted.map(({ klHistogram }) => klHistogram));
  const labels = counted.map(({ label }) => label);
  const columns = labels.some((label) => label.length >= longName) ? 1 : 2;
  const bottom = 48 + 18 * Math.ceil(counted.length / columns);
  const strokes = counted.map((_, at) => [...dashes[at % dashes.length]!]);
  const values = counted.flatMap((version) => stepsOf(version, domain));
  return styled(
    'Share of tokens',
    236 + bottom,
    { left: 44, bottom },
    {
      data: [{ name: 'steps', values }],
      scales: [
        { name: 'kl', type: 'log', domain, range: 'width' },
        {
          name: 'share',
          type: 'linear',
          domain: [0, Math.max(...values.map(({ share }) => share), 0.01)],
          nice: true,
          range: 'height',
        },
        { name: 'color', type: 'ordinal', domain: labels, range: colors },
        { name: 'dash', type: 'ordinal', domain: labels, range: strokes },
      ],
      axes: [
        {
          orient: 'bottom',
          scale: 'kl',
          title: 'KL divergence, nats per token',
          format: '~g',
          values: powersOfTen(...domain),
          offset: 4,
        },
        { orient: 'left', scale: 'share', grid: true, format: '~%', tickCount: 4 },
      ],
      legends: [{ stroke: 'color', strokeDash: 'dash', columns, ...legend }],
      marks: [lines],
    },
  );
}

const legend = {
  symbolType: 'stroke',
  orient: 'bottom',
  direction: 'horizontal',
} as const;

function totalOf({ below, above, counts }: Histogram): number {
  return below + above + counts.reduce((sum, count) => sum + count, 0);
}

function describe({ label, klHistogram, klDivergence }: Counted): string {
  const tokens = `${label}: ${formatInteger(totalOf(klHistogram))} tokens`;
  const { median, p99, max } = klDivergence ?? {};
  const facts = [
    ...(median ? [`median ${digits(median.value)}`] : []),
    ...(p99 ? [`99th percentile ${digits(p99.value)}`] : []),
    ...(max === undefined ? [] : [`largest ${digits(max)}`]),
  ];
  return `${[tokens, ...facts].join(', ')}.`;
}

/** The outline of the bars: each border with the share to its right; the last closes it. */
function stepsOf({ label, klHistogram }: Counted, [low, high]: readonly [number, number]) {
  const total = Math.max(1, totalOf(klHistogram));
  const { edges, counts } = klHistogram;
  const steps = edges.map((kl, at) => ({
    label,
    kl,
    share: (counts[at] ?? counts.at(-1)!) / total,
  }));
  return steps.filter(({ kl }) => kl >= low && kl <= high);
}

function rowsOf({ label, klHistogram }: Counted): string[][] {
  const { edges, counts, below, above } = klHistogram;
  const total = Math.max(1, totalOf(klHistogram));
  const row = (range: string, count: number) => [
    label,
    range,
    formatInteger(count),
    percent(count / total),
  ];
  return [
    row(`below ${digits(edges[0]!)}`, below),
    ...counts.map((count, at) => row(`${digits(edges[at]!)} to ${digits(edges[at + 1]!)}`, count)),
    row(`above ${digits(edges.at(-1)!)}`, above),
  ].filter(([, , count]) => count !== '0');
}

/** Powers of ten between two borders, so far apart that their labels stand free. */
function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first + 1) / mostTicks));
  const powers: number[] = [];
  for (let power = last; power >= first; power -= step) powers.unshift(Number(`1e${power}`));
  return powers;
}

/** The borders around everything that was counted, in any version. */
function occupied(histograms: readonly Histogram[]): [low: number, high: number] {
  const borders = histograms.flatMap(({ edges, counts }) =>
    counts.flatMap((count, at) => (count > 0 ? [edges[at]!, edges[at + 1]!] : [])),
  );
  const all = borders.length > 0 ? borders : histograms.flatMap(({ edges }) => edges);
  return [Math.min(...all), Math.max(...all)];
}

const lines: Mark = {
  type: 'group',
  from: { facet: { name: 'version', data: 'steps', groupby: 'label' } },
  marks: [
    {
      type: 'line',
      from: { data: 'version' },
      encode: {
        enter: {
          x: { scale: 'kl', field: 'kl' },
          y: { scale: 'share', field: 'share' },
          stroke: { scale: 'color', field: 'label' },
          strokeDash: { scale: 'dash', field: 'label' },
          strokeWidth: { value: 2 },
          interpolate: { value: 'step-after' },
        },
      },
    },
  ],
};
