import type { Mark, Spec } from 'vega';
import type { Figure } from '../../figure.ts';
import { palette } from '../palette.ts';
import { shortLabel, styled } from './plot.ts';

/** One bar: a value with its interval and, where there is one, the limit it cannot pass. */
export interface Bar {
  readonly label: string;
  readonly figure: Figure;
  /** What stands beside the bar: the value with its unit. */
  readonly text: string;
  readonly color: string;
  readonly limit?: number;
}

const rowHeight = 46;
const margins = { left: 10, bottom: 30 };

/** Horizontal bars from zero, each under its name. */
export function barsSpec(heading: string, bars: readonly Bar[], limitName?: string): Spec {
  const values = bars.map(({ figure, ...bar }) => ({
    ...bar,
    ...figure,
    name: shortLabel(bar.label),
  }));
  const longest = Math.max(...bars.map(({ figure, limit }) => Math.max(figure.high, limit ?? 0)));
  return styled(heading, bars.length * rowHeight + 66, margins, {
    data: [{ name: 'bars', values }],
    scales: [
      { name: 'row', type: 'band', domain: bars.map(({ label }) => label), range: 'height' },
      {
        name: 'value',
        type: 'linear',
        domain: [0, longest > 0 ? longest * 1.04 : 1],
        range: 'width',
      },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'value',
        grid: true,
        tickCount: 4,
        format: ',~f',
        // The last number would end beyond the picture.
        labelFlush: 16,
      },
    ],
    marks: [...barMarks, ...(limitName === undefined ? [] : limitMarks)],
  });
}

const y = (offset: number) => ({ scale: 'row', field: 'label', offset });
const barTop = 20;
const barHeight = 16;
const middle = y(barTop + barHeight / 2);

const barMarks: readonly Mark[] = [
  {
    type: 'rect',
    from: { data: 'bars' },
    encode: {
      enter: {
        x: { scale: 'value', value: 0 },
        x2: { scale: 'value', field: 'value' },
        y: y(barTop),
        height: { value: barHeight },
        fill: { field: 'color' },
        cornerRadiusTopRight: { value: 2 },
        cornerRadiusBottomRight: { value: 2 },
      },
    },
  },
  {
    type: 'rule',
    from: { data: 'bars' },
    encode: {
      enter: {
        x: { scale: 'value', field: 'low' },
        x2: { scale: 'value', field: 'high' },
        y: middle,
        stroke: { value: palette.ink.light },
        strokeWidth: { value: 1.5 },
      },
    },
  },
  {
    type: 'text',
    from: { data: 'bars' },
    encode: {
      enter: {
        x: { value: 0 },
        y: y(14),
        text: { field: 'name' },
      },
    },
  },
  {
    type: 'text',
    from: { data: 'bars' },
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

const limitMarks: readonly Mark[] = [
  {
    type: 'rule',
    from: { data: 'bars' },
    encode: {
      enter: {
        x: { scale: 'value', field: 'limit' },
        y: y(barTop - 3),
        y2: y(barTop + barHeight + 3),
        stroke: { value: palette.ink.light },
        strokeWidth: { value: 2 },
        strokeDash: { value: [3, 2] },
        opacity: { signal: 'isValid(datum.limit) ? 1 : 0' },
      },
    },
  },
];
