import { PithError } from '../../util/errors.ts';
import { parseCsv } from './csv.ts';
import { badRow, type Row } from './row.ts';
import { decodeText, type TaskFile } from './text.ts';

/**
 * Rows of a JSONL file or, by its name, of a CSV file with a head line.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for what is not UTF-8, empty lines between
 *   rows, lines that are no JSON object, empty objects, and CSV rows with too few or too many fields;
 *   also for a file without rows.
 */
export function parseRows(file: TaskFile): Row[] {
  const text = decodeText(file);
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
  return lines.map((line, at) => parseJsonLine(line, name, at + 1));
}

function parseJsonLine(line: string, file: string, number: number): Row {
  const where = `${file}:${number}`;
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
  return { values: values as Row['values'], where, file };
}
