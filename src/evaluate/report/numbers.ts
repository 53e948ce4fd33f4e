import { formatBytes, formatInteger, threeDigits } from '../../util/format-units.ts';
import type { Figure } from '../figure.ts';

const minus = '\u2212';

/** Three significant digits with a true minus sign: `−0.0123`. */
export function digits(value: number): string {
  return threeDigits(value).replace('-', minus);
}

/** `12.3 (11.9 to 12.7)`: a value and its 95 % interval, with as many decimals as the interval needs. */
export function withInterval({ value, low, high }: Figure, factor = 1, unit = ''): string {
  const scaled = [value, low, high].map((number) => number * factor);
  const decimals = decimalsOf((scaled[2]! - scaled[1]!) / 2, scaled[0]!);
  const [text, from, to] = scaled.map((number) => fixed(number, decimals));
  return `${text}${unit} (${from} to ${to})`;
}

/** The same for a share: `93.1 % (92.8 to 93.4)`. */
export function shareWithInterval(figure: Figure): string {
  return withInterval(figure, 100, ' %');
}

/** A difference, with its sign: `+0.4 (−1.2 to +2.0)`. */
export function signedWithInterval({ value, low, high }: Figure, factor = 1, unit = ''): string {
  const scaled = [value, low, high].map((number) => number * factor);
  const decimals = decimalsOf((scaled[2]! - scaled[1]!) / 2, scaled[0]!);
  const [text, from, to] = scaled.map((number) => signed(number, decimals));
  return `${text}${unit} (${from} to ${to})`;
}

/** Whether the interval leaves zero out. */
export function differsFromZero({ low, high }: Figure): boolean {
  return low > 0 || high < 0;
}

/** `4.31 MB (4,312,345 bytes)`. */
export function exactBytes(bytes: number): string {
  return `${formatBytes(bytes)} (${formatInteger(bytes)} bytes)`;
}

/** `7.24 %` of a share. */
export function percent(share: number): string {
  return `${digits(share * 100)} %`;
}

/** Two significant digits of half the interval; without an interval three digits of the value. */
function decimalsOf(halfWidth: number, value: number): number {
  const significant = halfWidth > 0 ? 2 : 3;
  const size = Math.abs(halfWidth > 0 ? halfWidth : value);
  if (size === 0) return 0;
  return Math.min(12, Math.max(0, significant - 1 - Math.floor(Math.log10(size))));
}

function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', minus);
}

function signed(value: number, decimals: number): string {
  const text = fixed(value, decimals);
  return Number(text.replace(minus, '-')) > 0 ? `+${text}` : text;
}
