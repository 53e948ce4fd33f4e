import { stripVTControlCharacters } from 'node:util';

/** One column of a table: its heading, and whether its cells line up on the right. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

/**
 * Lays out rows of text in aligned columns, two spaces apart, with a rule under the headings.
 *
 * Columns whose headings are all empty print without a heading line. Lines have no trailing spaces.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map(({ heading }, index) =>
    Math.max(...[heading, ...rows.map((row) => row[index] ?? '')].map(displayWidth)),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index]!, align ?? 'left'))
      .join('  ')
      .trimEnd();
  const headings = columns.map(({ heading }) => heading);
  const head = headings.every((heading) => heading === '')
    ? []
    : [line(headings), widths.map((width) => '-'.repeat(width)).join('  ')];
  return [...head, ...rows.map(line)].join('\n');
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(width - displayWidth(text));
  return align === 'right' ? space + text : text + space;
}

const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/u;

/** Terminal cells a text takes: 2 for CJK and emoji, 0 for colour codes and combining marks. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of stripVTControlCharacters(text)) {
    if (/\p{Mark}|\u200d/u.test(letter)) continue;
    width += wide.test(letter) ? 2 : 1;
  }
  return width;
}
