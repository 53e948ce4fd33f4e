import type { Config, Spec } from 'vega';
import { palette } from '../palette.ts';

/** A table with the same numbers as a plot, for those who cannot or would rather not see it. */
export interface PlotTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A plot before it is drawn. */
export interface Plot {
  /** File name without `.svg`, unique in a report, of letters, digits, `-` and `_`. */
  readonly id: string;
  readonly title: string;
  /** What the plot shows, in words, with its main numbers. */
  readonly description: string;
  readonly spec: Spec;
  readonly table: PlotTable;
}

/** Width of every plot in its own units: a phone's, where text of 12 units stays readable. */
export const plotWidth = 360;

const fonts = 'system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';

/** Room around a plot's frame, in its own units. */
export interface Margins {
  readonly left: number;
  readonly bottom: number;
}

const right = 10;
const top = 34;

/**
 * A Vega specification with the report's look: no frame, thin rules, text in the report's inks.
 *
 * Margins are given, not found by Vega: without a canvas it takes text for half again as wide as it is.
 *
 * @param heading - Stands above the plot: what the vertical axis, or the length of a bar, means.
 * @param height - Of the whole plot.
 */
export function styled(
  heading: string,
  height: number,
  { left, bottom }: Margins,
  { marks = [], ...parts }: Spec,
): Spec {
  return {
    width: plotWidth - left - right,
    height: height - top - bottom,
    padding: { left, right, top, bottom },
    autosize: 'none',
    ...parts,
    marks: [
      ...marks,
      {
        type: 'text',
        encode: {
          enter: {
            x: { value: 2 - left },
            y: { value: 14 - top },
            text: { value: heading },
            fill: { value: palette.muted.light },
          },
        },
      },
    ],
    config,
  };
}

/** Room inside the frame. */
export function innerWidth({ left }: Margins): number {
  return plotWidth - left - right;
}

const axisStyle = {
  labelFont: fonts,
  labelFontSize: 12,
  labelColor: palette.muted.light,
  labelLimit: 150,
  titleFont: fonts,
  titleFontSize: 12,
  titleFontWeight: 'normal' as const,
  titleColor: palette.muted.light,
  titlePadding: 8,
  domain: false,
  ticks: false,
  labelPadding: 6,
  gridColor: palette.rule.light,
};

const legendStyle = {
  labelFont: fonts,
  labelFontSize: 12,
  labelColor: palette.ink.light,
  labelLimit: 400,
  symbolStrokeWidth: 2.5,
  symbolSize: 160,
  columnPadding: 16,
  rowPadding: 4,
  offset: 8,
};

/** Vega's own ARIA labels are off (its types do not know the flag): the SVG has a description. */
const config: Config & { readonly aria: boolean } = {
  aria: false,
  text: { font: fonts, fontSize: 12, fill: palette.ink.light },
  axis: axisStyle,
  legend: legendStyle,
};

const longestLabel = 22;

/** A name cut in its middle where it is too long for a plot: versions differ at their ends. */
export function shortLabel(label: string): string {
  const characters = Array.from(label);
  if (characters.length <= longestLabel) return label;
  return `${characters.slice(0, 7).join('')}\u2026${characters.slice(8 - longestLabel).join('')}`;
}

/** 1, 2, 5, 10 ... from below `low` to above `high`; both positive. */
export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  const last = Math.ceil(Math.log10(high));
  for (let power = Math.floor(Math.log10(low)); power <= last; power++) {
    for (const digit of [1, 2, 5]) ticks.push(Number(`${digit}e${power}`));
  }
  const from = ticks.findLastIndex((tick) => tick <= low);
  const to = ticks.findIndex((tick) => tick >= high);
  return ticks.slice(Math.max(0, from), to < 0 ? undefined : to + 1);
}
