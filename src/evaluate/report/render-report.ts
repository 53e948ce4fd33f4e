import { drawPlot, type Drawing } from './draw.ts';
import { html, Markup, type Content } from './markup.ts';
import { biasPlot } from './plots/differences.ts';
import { energyPlot } from './plots/energy.ts';
import { klHistogramPlot } from './plots/kl-histogram.ts';
import type { Plot } from './plots/plot.ts';
import { sizeQualityPlot } from './plots/size-quality.ts';
import { speedPlot } from './plots/speed.ts';
import { weightErrorPlots } from './plots/weight-error.ts';
import { digits } from './numbers.ts';
import { parseReportData, type ReportData } from './report-data.ts';
import { continuations } from './sections/continuations.ts';
import { plotSection } from './sections/figures.ts';
import { glance } from './sections/glance.ts';
import { provenance } from './sections/provenance.ts';
import { tasks } from './sections/tasks.ts';
import { weightErrors } from './sections/weight-error.ts';
import { style } from './style.ts';

/** A card ready to be written: name of each file -> its text. */
export interface RenderedReport {
  readonly html: string;
  readonly json: string;
  /** `size-quality.svg` ... */
  readonly plots: ReadonlyMap<string, string>;
}

/**
 * Renders the proof card: one HTML page that loads nothing and runs nothing, the plots as SVG files
 * of their own, and the data as JSON.
 *
 * The same data gives the same texts. Everything in the data is treated as hostile text; the page's
 * content security policy allows its own style rules, by their hash, and nothing else.
 *
 * @throws {@link PithError} `corrupt` when the data is not a report's; `engine` when a plot cannot be drawn.
 */
export async function renderReport(data: ReportData): Promise<RenderedReport> {
  const drawings: Drawing[] = [];
  for (const plot of plotsOf(data)) drawings.push(await drawPlot(plot));
  return {
    html: page(data, drawings, await contentHash(style)),
    // Checked, and its keys in the schema's order: what is read back renders to the same texts.
    json: `${JSON.stringify(parseReportData(data, 'report.json'), undefined, 2)}\n`,
    plots: new Map(drawings.map(({ plot, file }) => [`${plot.id}.svg`, file])),
  };
}

/** All plots that the data is enough for. */
export function plotsOf(data: ReportData): Plot[] {
  return [
    sizeQualityPlot(data),
    klHistogramPlot(data),
    biasPlot(data),
    speedPlot(data),
    energyPlot(data),
    ...weightErrorPlots(data),
  ].filter((plot) => plot !== undefined);
}

async function contentHash(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(hash)))}`;
}

function page(data: ReportData, drawings: readonly Drawing[], styleHash: string): string {
  const policy = `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${data.model}: proof card</title>
        ${new Markup(`<style>${style}</style>`)}
      </head>
      <body>
        <main>
          ${glance(data)}${sections(data, drawings)}
          <footer>
            Made by Pith ${data.made.versions['pith']}. The data of this card is in report.json
            beside it.
          </footer>
        </main>
      </body>
    </html> `.text;
}

function sections(data: ReportData, drawings: readonly Drawing[]): Content {
  const drawn = (id: string) => drawings.find(({ plot }) => plot.id === id);
  return html`<div class="plots">
      ${plotSection(
        drawn('size-quality'),
        'KL divergence tells how far a version\u2019s expectation of the next token moved from the original\u2019s. 0 is no change at all.',
        'Dots are means over all scored tokens, whiskers 95 % intervals. Best is low and to the left.',
      )}${plotSection(
        drawn('kl-histogram'),
        'Most tokens hardly change; a few change much. Further to the left is better.',
        'Bins of equal ratio. Shares are of all scored tokens; counts of a sample, without intervals.',
      )}
    </div>
    ${continuations(data)}${tasks(data)}
    <div class="plots">
      ${plotSection(
        drawn('bias'),
        'Whether a version prefers stereotyped sentences more, or less, than the original does. A range that crosses the line at 0 cannot be told from chance.',
        biasCaption(data),
      )}${plotSection(drawn('speed'), 'How fast each version writes, in tokens (about three quarters of an English word each).', speedCaption(data))}${plotSection(
        drawn('energy'),
        'Electricity for each token written.',
        energyCaption(data),
        true,
      )}
    </div>
    ${weightErrors(
      drawings.filter(({ plot }) => plot.id.startsWith('weight-error-')),
      data.candidates,
    )}${provenance(data)}`;
}

function biasCaption({ candidates }: ReportData): string {
  const sets = candidates.flatMap(({ bias }) =>
    bias ? [`${bias.name}, ${bias.pairs} pairs`] : [],
  );
  return `Dots are paired differences on the same sentences (${[...new Set(sets)].join('; ')}), whiskers 95 % intervals.`;
}

function speedCaption({ base, candidates }: ReportData): string {
  const speeds = [base, ...candidates].flatMap(({ speed }) => speed ?? []);
  const methods = [...new Set(speeds.map(({ method }) => method))].join('; ');
  const context = speeds[0]?.decode[0]?.contextTokens;
  return (
    `Decoding after ${context} tokens; thin lines are 95 % intervals. The ceiling is what memory ` +
    `bandwidth allows: bytes read per second over bytes read per token; a small model can pass it from the ` +
    `processor\u2019s cache. ${methods}.`
  );
}

function energyCaption({ base, candidates }: ReportData): Content {
  const energies = [base, ...candidates].flatMap(({ energy }) => energy ?? []);
  const methods = [...new Set(energies.map(({ method }) => method))].join('; ');
  const factors = energies.flatMap(({ gridGramsPerKwh, pricePerKwh, currency = '' }) => [
    ...(gridGramsPerKwh === undefined ? [] : [`${digits(gridGramsPerKwh)} g CO\u2082e a kWh`]),
    ...(pricePerKwh === undefined ? [] : [`${digits(pricePerKwh)} ${currency} a kWh`]),
  ]);
  const assumed = factors.length === 0 ? '' : ` Reckoned with ${[...new Set(factors)].join(', ')}.`;
  return `Method: ${methods}.${assumed} Thin lines and brackets are 95 % intervals.`;
}
