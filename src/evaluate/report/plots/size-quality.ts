import type { Axis, Mark, Scale } from 'vega';
import { exactBytes, withInterval } from '../numbers.ts';
import { palette, seriesInk } from '../palette.ts';
import type { Candidate, Measured, ReportData } from '../report-data.ts';
import { logTicks, shortLabel, styled, type Plot } from './plot.ts';

interface Compared extends Candidate {
  readonly klDivergence: NonNullable<Candidate['klDivergence']>;
}

interface Point {
  readonly label: string;
  readonly megabytes: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly color: string;
  /** On which side of the point there is room for its name. */
  readonly side: 'left' | 'right';
}

const million = 1e6;
/** A ratio of sizes from which on equal distances mean equal ratios. */
const logFromRatio = 8;
const mostTicks = 8;
const margins = { left: 54, bottom: 50 };

/** Size against quality: bytes of the file and mean KL divergence with its 95 % interval. */
export function sizeQualityPlot(data: ReportData): Plot | undefined {
  const { base, candidates } = data;
  const compared = candidates.filter((c): c is Compared => c.klDivergence !== undefined);
  if (compared.length === 0) return undefined;
  const closest = compared.toSorted(
    (a, b) => a.klDivergence.mean.value - b.klDivergence.mean.value,
  )[0]!;
  return {
    id: 'size-quality',
    title: 'Size against quality',
    description:
      'Size of the file (across) against mean KL divergence to the original with its 95 % interval ' +
      `(up). Closest to the original is ${closest.label}: ` +
      `${withInterval(closest.klDivergence.mean)} nats per token.` +
      (data.frontier ? ' The line is what is predicted of the best types at each size.' : ''),
    spec: sizeQualitySpec(data, compared),
    table: {
      columns: ['Version', 'Size', 'Bits per weight', 'Mean KL divergence', 'Perplexity'],
      rows: [
        [
          base.label,
          exactBytes(base.bytes),
          base.bitsPerWeight.toFixed(2),
          '0 (itself)',
          perplexity(base),
        ],
        ...compared.map((candidate) => [
          candidate.label,
          exactBytes(candidate.bytes),
          candidate.bitsPerWeight.toFixed(2),
          `${withInterval(candidate.klDivergence.mean)} nats per token`,
          perplexity(candidate),
        ]),
      ],
    },
  };
}

function perplexity({ perplexity: figure }: Measured): string {
  return figure === undefined ? 'not measured' : withInterval(figure);
}

function sizeQualitySpec(data: ReportData, compared: readonly Compared[]) {
  const { base, candidates } = data;
  const sizes = [base.bytes, ...compared.map(({ bytes }) => bytes)].map((bytes) => bytes / million);
  const sizeScale = scaleOfSizes(Math.min(...sizes), Math.max(...sizes));
  const middle = Math.max(...sizes) / 2;
  const points = compared.map((candidate) =>
    pointOf(candidate, seriesInk(candidates.indexOf(candidate)).light, middle),
  );
  const { scale, axis, domain } = divergence(points);
  const frontier = frontierWithin(data, domain);
  return styled('KL divergence, nats per token (lower is closer)', 290, margins, {
    data: [
      { name: 'points', values: points },
      { name: 'frontier', values: frontier },
    ],
    scales: [sizeScale, scale],
    axes: [
      { orient: 'bottom', scale: 'size', title: 'Size of the file, MB', tickCount: 5, offset: 4 },
      { orient: 'left', scale: 'kl', grid: true, format: '~g', ...axis },
    ],
    marks: [
      ...originalMarks(base.bytes / million, base.label),
      ...(frontier.length > 0 ? frontierMarks : []),
      ...pointMarks,
    ],
  });
}

/** The part of the curve that the axis of divergences shows. */
function frontierWithin({ frontier = [] }: ReportData, [low, high]: Domain) {
  return frontier
    .filter(({ klDivergence }) => klDivergence >= low && klDivergence <= high)
    .map(({ bytes, klDivergence }) => ({ megabytes: bytes / million, mean: klDivergence }));
}

function pointOf(
  { label, bytes, klDivergence: { mean } }: Compared,
  color: string,
  middle: number,
): Point {
  return {
    label: shortLabel(label),
    megabytes: bytes / million,
    mean: mean.value,
    low: mean.low,
    high: mean.high,
    color,
    side: bytes / million > middle ? 'left' : 'right',
  };
}

function scaleOfSizes(low: number, high: number): Scale {
  return high / low >= logFromRatio
    ? { name: 'size', type: 'log', domain: [low / 1.3, high * 1.15], range: 'width' }
    : { name: 'size', type: 'linear', domain: [0, high * 1.05], range: 'width' };
}

type Domain = readonly [low: number, high: number];

/** An axis of divergences, and from where to where it goes at least. */
interface DivergenceAxis {
  readonly scale: Scale;
  readonly axis: Partial<Axis>;
  readonly domain: Domain;
}

/** Logarithmic where every interval lies above zero, so that small and large losses both show. */
function divergence(points: readonly Point[]): DivergenceAxis {
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const name = 'kl';
  const range = 'height' as const;
  if (low <= 0) {
    const domain: Domain = [Math.min(0, low), high > 0 ? high : 1];
    const scale: Scale = { name, type: 'linear', domain: [...domain], nice: true, range };
    return { scale, axis: { tickCount: 5 }, domain };
  }
  const ticks = logTicks(low, high);
  const domain: Domain = [ticks[0]!, ticks.at(-1)!];
  const scale: Scale = { name, type: 'log', domain: [...domain], range };
  const powers = ticks.filter((tick) => tick.toExponential().startsWith('1e'));
  return { scale, axis: { values: ticks.length > mostTicks ? powers : ticks }, domain };
}

/** Where the original stands: its divergence from itself is 0, which a log axis cannot show. */
function originalMarks(megabytes: number, label: string): Mark[] {
  const x = { scale: 'size', value: megabytes };
  return [
    {
      type: 'rule',
      encode: {
        enter: {
          x,
          y: { value: 0 },
          y2: { signal: 'height' },
          stroke: { value: palette.bar.light },
          strokeDash: { value: [2, 4] },
        },
      },
    },
    {
      type: 'text',
      encode: {
        enter: {
          x,
          y: { value: -5 },
          align: { value: 'right' },
          fill: { value: palette.muted.light },
          text: { value: shortLabel(label) },
        },
      },
    },
  ];
}

const x = { scale: 'size', field: 'megabytes' };

const frontierMarks: readonly Mark[] = [
  {
    type: 'line',
    from: { data: 'frontier' },
    encode: {
      enter: {
        x,
        y: { scale: 'kl', field: 'mean' },
        stroke: { value: palette.bar.light },
        strokeWidth: { value: 2 },
      },
    },
  },
];

const pointMarks: readonly Mark[] = [
  {
    type: 'rule',
    from: { data: 'points' },
    encode: {
      enter: {
        x,
        y: { scale: 'kl', field: 'low' },
        y2: { scale: 'kl', field: 'high' },
        stroke: { field: 'color' },
        strokeWidth: { value: 2 },
      },
    },
  },
  ...(['low', 'high'] as const).map((end): Mark => ({
    type: 'rule',
    from: { data: 'points' },
    encode: {
      enter: {
        x: { ...x, offset: -4 },
        x2: { ...x, offset: 4 },
        y: { scale: 'kl', field: end },
        stroke: { field: 'color' },
        strokeWidth: { value: 2 },
      },
    },
  })),
  {
    type: 'symbol',
    from: { data: 'points' },
    encode: {
      enter: {
        x,
        y: { scale: 'kl', field: 'mean' },
        size: { value: 70 },
        fill: { field: 'color' },
        stroke: { value: palette.paper.light },
        strokeWidth: { value: 1.5 },
      },
    },
  },
  {
    type: 'text',
    from: { data: 'points' },
    encode: {
      enter: {
        x,
        y: { scale: 'kl', field: 'mean' },
        dx: { signal: "datum.side === 'left' ? -10 : 10" },
        align: { signal: "datum.side === 'left' ? 'right' : 'left'" },
        baseline: { value: 'middle' },
        text: { field: 'label' },
      },
    },
  },
];
