import { PithError } from '../../util/errors.ts';
import { parseCsv } from './csv.ts';
import { badRow, type Row } from './row.ts';

/** Bytes of a file with what to call it in messages. */
export interface TaskFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Rows of a JSONL file or, by its name, of a CSV file with a head line.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for what is not UTF-8, empty lines between
 *   rows, lines that are no JSON object, empty objects, and CSV rows with too few or too many fields;
 *   also for a file without rows.
 */
export function parseRows(file: TaskFile): Row[] {
  const text = decode(file);
  const rows = file.name.toLowerCase().endsWith('.csv')
    ? parseCsv(text, file.name)
    : parseJsonLines(text, file.name);
  if (rows.length > 0) return rows;
  const hint = 'A task needs at least one row: check the path and how the file was made.';
  throw new PithError('corrupt', `${file.name} has no rows.`, hint);
}

function parseJsonLines(text: string, name: string): Row[] {
  const lines = text.replace(/(\r?\n)+$/, '').split(/\r?\n/);
  if (lines.length === 1 && lines[0]!.trim() === '') return [];
  return lines.map((line, at) => parseJsonLine(line, `${name}:${at + 1}`));
}

function parseJsonLine(line: string, where: string): Row {
  if (line.trim() === '') throw badRow(where, 'the line is empty', 'Remove it.');
  let values: unknown;
  try {
    values = JSON.parse(line);
  } catch (error) {
    const hint = 'A JSONL file has one JSON object a line.';
    throw badRow(where, `no JSON (${(error as Error).message})`, hint);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw badRow(where, 'the row is no JSON object', 'Write each row as {"field": value, ...}.');
  }
  if (Object.keys(values).length === 0) throw badRow(where, 'the row is empty', 'Remove it.');
  return { values: values as Row['values'], where };
}

/** Text of a UTF-8 file; names the first line that is not. */
function decode({ name, bytes }: TaskFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const place = firstInvalidLine(bytes);
    const utf16 =
      (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const problem = utf16 ? 'the file is UTF-16, not UTF-8' : 'the line is not UTF-8';
    throw badRow(
      `${name}:${place}`,
      problem,
      'Save the whole file as UTF-8, for example with iconv.',
    );
  }
}

function firstInvalidLine(bytes: Uint8Array): number {
  let start = 0;
  for (let line = 1; ; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    if (newline < 0) return line;
    start = newline + 1;
  }
}
