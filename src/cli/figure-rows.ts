import type { Figure } from '../evaluate/figure.ts';
import type { PairedDifference } from '../evaluate/paired.ts';
import { formatInteger, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';

/** How a figure is written. */
export type Format = (value: number) => string;

/** Figures as a table: name, value, interval, what it means. */
export function table(rows: readonly (readonly string[])[]): string {
  const right = { heading: '', align: 'right' } as const;
  return formatTable([{ heading: '' }, right, { heading: '' }, { heading: '' }], rows);
}

/** A figure with its interval. */
export function row(
  name: string,
  { value, low, high }: Figure,
  format: Format = fourDigits,
): string[] {
  return [name, format(value), `[${bound(low, format)}, ${bound(high, format)}]`];
}

/** A paired difference, and whether it can be told from `from`. */
export function paired(
  name: string,
  figure: PairedDifference,
  from: string,
  format: Format = fine,
): string[] {
  const verdict = figure.distinguishable ? 'distinguishable from' : 'not distinguishable from';
  return [...row(name, figure, format), `${verdict} ${from}`];
}

function bound(value: number, format: Format): string {
  if (Number.isFinite(value)) return format(value);
  return value > 0 ? 'unbounded' : '-unbounded';
}

/** Four digits; thousands whole. */
export function fourDigits(value: number): string {
  return value >= 1000 ? formatInteger(value) : value.toPrecision(4);
}

/** Divergences are small: `0.00123`; ratios near 1 need five digits. */
export function fine(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-6) return '<0.000001';
  return Math.abs(value) > 0.9 ? value.toFixed(4) : threeDigits(value);
}

/** `12.34 %`. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}
