import { badRow, type Row } from './row.ts';

/**
 * Rows of a CSV file (RFC 4180) by the names of its first line; a column without a name is left out.
 *
 * @throws {@link PithError} `corrupt` with `file:line`.
 */
export function parseCsv(text: string, name: string): Row[] {
  const records = [...readRecords(text, name)];
  const head = records.shift();
  if (head === undefined) return [];
  const names = head.fields;
  const repeated = names.find((column, at) => column !== '' && names.indexOf(column) < at);
  if (repeated !== undefined) {
    throw badRow(`${name}:1`, `two columns are called "${repeated}"`, 'Rename one of them.');
  }
  return records.map(({ fields, line }) => {
    const where = `${name}:${line}`;
    if (fields.length !== names.length) {
      const numbers = `${fields.length} fields, but the head has ${names.length}`;
      throw badRow(
        where,
        `the row has ${numbers}`,
        'Quote fields that hold commas or line breaks.',
      );
    }
    const pairs = names.map((column, at) => [column, fields[at]!] as const);
    return {
      values: Object.fromEntries(pairs.filter(([column]) => column !== '')),
      where,
      file: name,
    };
  });
}

interface CsvRecord {
  readonly fields: readonly string[];
  readonly line: number;
}

/** A quoted field with its doubled quotes, or a plain one; then what ends it. */
const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function* readRecords(text: string, name: string): Generator<CsvRecord> {
  let line = 1;
  let start = line;
  let fields: string[] = [];
  field.lastIndex = 0;
  for (let at = 0; at < text.length || fields.length > 0; at = field.lastIndex) {
    field.lastIndex = at;
    const found = field.exec(text);
    if (found === null) {
      throw badRow(
        `${name}:${line}`,
        'a quote is not closed or stands inside a field',
        'Double it.',
      );
    }
    const [whole, quoted, plain, end] = found;
    fields.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    for (const character of whole) if (character === '\n') line++;
    if (end === ',') continue;
    yield { fields, line: start };
    fields = [];
    start = line;
  }
}
