import { PithError } from './errors.ts';

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const byteFactors: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** `7949376` -> `7.95 MB`: three digits, units of 1000. */
export function formatBytes(bytes: number): string {
  return withUnit(bytes, byteUnits);
}

/** `7344384` -> `7.34 M`: three digits, units of 1000. */
export function formatCount(count: number): string {
  return withUnit(count, ['', 'K', 'M', 'B', 'T']).trimEnd();
}

function withUnit(value: number, units: readonly string[]): string {
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`;
}

/** Three significant digits without an exponent: `12.3`, `0.0456`, `950`, `2183`. */
export function threeDigits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  if (!Number.isFinite(rounded) || rounded === 0) return String(rounded);
  if (Math.abs(rounded) >= 100) return String(Math.round(value));
  return value.toFixed(Math.min(20, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
}

/** `7344384` -> `7,344,384`. */
export function formatInteger(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** Seconds as people say them: `450 ms`, `12.3 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${threeDigits(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${threeDigits(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/**
 * Reads a size such as `3.2GB`, `512 MiB` or `1000`: KB, MB, GB are powers of 1000; KiB, MiB, GiB
 * of 1024; case does not matter.
 *
 * @throws PithError `usage` when it is not a size of at least one whole byte.
 */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = byteFactors[(unit || 'B').toUpperCase()];
  const bytes = digits !== undefined && factor ? Math.floor(Number(digits) * factor) : 0;
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new PithError(
    'usage',
    `"${text}" is not a size.`,
    'Write a number and a unit, for example 3.2GB (powers of 1000) or 3GiB (powers of 1024).',
  );
}
