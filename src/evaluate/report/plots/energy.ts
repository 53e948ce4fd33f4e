import { withInterval } from '../numbers.ts';
import { palette, seriesInk } from '../palette.ts';
import type { Measured, ReportData } from '../report-data.ts';
import { barsSpec } from './bars.ts';
import type { Plot } from './plot.ts';

interface Metered extends Measured {
  readonly energy: NonNullable<Measured['energy']>;
}

/** Joules a token of every version. */
export function energyPlot({ base, candidates }: ReportData): Plot | undefined {
  const all: readonly Measured[] = [base, ...candidates];
  const metered = all.filter((version): version is Metered => version.energy !== undefined);
  if (metered.length === 0) return undefined;
  const bars = metered.map((version) => {
    const at = all.indexOf(version) - 1;
    return {
      label: version.label,
      figure: version.energy.joulesPerToken,
      text: withInterval(version.energy.joulesPerToken, 1, ' J'),
      color: at < 0 ? palette.bar.light : seriesInk(at).light,
    };
  });
  return {
    id: 'energy',
    title: 'Energy',
    description:
      'Joules for each token written, with 95 % intervals. ' +
      bars.map(({ label, text }) => `${label}: ${text}.`).join(' '),
    spec: barsSpec('Joules per token; lower is better', bars),
    table: {
      columns: [
        'Version',
        'Joules per token',
        'g CO\u2082e, million tokens',
        'Cost, million tokens',
      ],
      rows: metered.map(({ label, energy }) => [
        label,
        withInterval(energy.joulesPerToken),
        emissions(energy),
        cost(energy),
      ]),
    },
  };
}

function emissions({ gramsCo2ePerMillionTokens: grams }: Metered['energy']): string {
  return grams === undefined ? 'not known' : withInterval(grams);
}

function cost({ costPerMillionTokens: cost, currency = '' }: Metered['energy']): string {
  return cost === undefined ? 'not known' : withInterval(cost, 1, ` ${currency}`);
}
