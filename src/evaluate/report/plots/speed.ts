import type { ReportData, Measured } from '../report-data.ts';
import { digits, percent, withInterval } from '../numbers.ts';
import { palette, seriesInk } from '../palette.ts';
import { formatInteger } from '../../../util/format-units.ts';
import { barsSpec } from './bars.ts';
import type { Plot } from './plot.ts';

interface Timed extends Measured {
  readonly speed: NonNullable<Measured['speed']>;
}

/** Decoding speed of every version at the shortest context, beside what memory bandwidth allows. */
export function speedPlot({ base, candidates }: ReportData): Plot | undefined {
  const all: readonly Measured[] = [base, ...candidates];
  const timed = all.filter((version): version is Timed => version.speed !== undefined);
  if (timed.length === 0) return undefined;
  const bars = timed.map((version) => {
    const { tokensPerSecond, ceilingTokensPerSecond: limit } = version.speed.decode[0]!;
    const at = all.indexOf(version) - 1;
    return {
      label: version.label,
      figure: tokensPerSecond,
      text: withInterval(tokensPerSecond),
      color: at < 0 ? palette.bar.light : seriesInk(at).light,
      ...(limit !== undefined && { limit }),
    };
  });
  const hasCeiling = bars.some(({ limit }) => limit !== undefined);
  const heading = hasCeiling
    ? 'Tokens per second; dashed: ceiling of the memory'
    : 'Tokens per second';
  return {
    id: 'speed',
    title: 'Speed',
    description:
      `Tokens per second while writing, with 95 % intervals. ` + timed.map(describe).join(' '),
    spec: barsSpec(heading, bars, hasCeiling ? 'ceiling' : undefined),
    table: {
      columns: ['Version', 'Work', 'Tokens per second', 'Ceiling', 'Of the ceiling'],
      rows: timed.flatMap(rowsOf),
    },
  };
}

function describe({ label, speed }: Timed): string {
  const { tokensPerSecond, ceilingTokensPerSecond: ceiling } = speed.decode[0]!;
  const share =
    ceiling === undefined ? '' : `, ${percent(tokensPerSecond.value / ceiling)} of its ceiling`;
  return `${label}: ${withInterval(tokensPerSecond)}${share}.`;
}

function rowsOf({ label, speed }: Timed): string[][] {
  return [
    ...speed.prefill.map(({ tokens, tokensPerSecond }) => [
      label,
      `reading ${formatInteger(tokens)} tokens`,
      withInterval(tokensPerSecond),
      '',
      '',
    ]),
    ...speed.decode.map(({ contextTokens, tokensPerSecond, ceilingTokensPerSecond: ceiling }) => [
      label,
      `writing after ${formatInteger(contextTokens)} tokens`,
      withInterval(tokensPerSecond),
      ceiling === undefined ? 'not measured' : digits(ceiling),
      ceiling === undefined ? '' : percent(tokensPerSecond.value / ceiling),
    ]),
  ];
}
