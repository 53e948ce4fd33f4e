import { PithError } from '../util/errors.ts';
import { invalidUtf8Offset } from '../util/utf8.ts';

/** A text that is read from its beginning, without any other before it. */
export interface TextDocument {
  /** For messages: `stories.txt`, `rows.jsonl:12`. */
  readonly name: string;
  readonly text: string;
}

/** The documents of a file. */
export interface TextDocuments {
  readonly documents: readonly TextDocument[];
  /** How they were told apart, and which were left out. */
  readonly notes: readonly string[];
}

/** A line of its own between two documents. */
const endOfText = '<|endoftext|>';

/** The title line of a WikiText article, not of one of its sections. */
const articleTitle = /^ = [^=\n][^\n]* = ?$/m;

/**
 * Cuts a file into documents: a row a document for `.jsonl` (its string `text`), else at lines
 * `<|endoftext|>`, else at WikiText's article titles, else the whole file is one.
 *
 * Documents of nothing but white space are left out and named.
 *
 * @param name - Its path: `.jsonl` decides, the rest is for messages.
 * @throws {@link PithError} `corrupt` for bytes that are not UTF-8, with the offset, and for a row that
 *   is not an object with a text, with its line; `unsupported` when no document is left.
 */
export function parseDocuments(bytes: Uint8Array, name: string): TextDocuments {
  const text = decodeFile(bytes, name);
  const cut = name.toLowerCase().endsWith('.jsonl') ? jsonLines(text, name) : plain(text, name);
  const documents = cut.documents.filter((document) => document.text.trim() !== '');
  if (documents.length === 0) {
    throw new PithError(
      'unsupported',
      `${name} has no text to evaluate on.`,
      'Give a file of UTF-8 text, or a .jsonl file whose rows have a "text".',
    );
  }
  const empty = cut.documents.filter((document) => !documents.includes(document));
  return { documents, notes: [...cut.notes, ...emptyNotes(empty)] };
}

/**
 * The text of a file.
 *
 * @throws {@link PithError} `corrupt` for bytes that are not UTF-8, with the offset.
 */
export function decodeFile(bytes: Uint8Array, name: string): string {
  const offset = invalidUtf8Offset(bytes);
  if (offset === undefined) return new TextDecoder().decode(bytes);
  const byte = bytes[offset]!.toString(16).padStart(2, '0');
  const isUtf16 = offset === 0 && /^(fffe|feff)/.test(byte + (bytes[1] ?? 0).toString(16));
  throw new PithError(
    'corrupt',
    `${name} is not UTF-8: byte ${offset} is 0x${byte}${isUtf16 ? ', as UTF-16 begins' : ''}.`,
    `Convert it: iconv -f ${isUtf16 ? 'UTF-16' : 'LATIN1'} -t UTF-8 "${name}" > converted.txt`,
  );
}

function jsonLines(text: string, name: string): TextDocuments {
  const documents: TextDocument[] = [];
  text.split('\n').forEach((line, at) => {
    if (line.trim() !== '')
      documents.push({ name: `${name}:${at + 1}`, text: rowText(line, name, at) });
  });
  return { documents, notes: [] };
}

function rowText(line: string, name: string, at: number): string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    const problem = `${name}, line ${at + 1}, is not JSON: ${(cause as Error).message}.`;
    throw new PithError('corrupt', problem, 'Write one JSON object a line.', { cause });
  }
  const text = typeof row === 'object' && row !== null && 'text' in row ? row.text : undefined;
  if (typeof text === 'string') return text;
  throw new PithError(
    'corrupt',
    `${name}, line ${at + 1}, has no string "text".`,
    'Every row needs one: {"text": "…"}.',
  );
}

function plain(text: string, name: string): TextDocuments {
  const parts = text.split(new RegExp(`^${endOfText.replaceAll('|', '\\|')}\\r?\\n?`, 'm'));
  if (parts.length > 1) return numbered(parts, name, `lines ${endOfText}`);
  const title = articleTitle.exec(text);
  if (title && text.slice(0, title.index).trim() === '') {
    return numbered(
      text.split(new RegExp(`(?=${articleTitle.source})`, 'm')),
      name,
      'article titles',
    );
  }
  return { documents: [{ name, text }], notes: [] };
}

/** An empty part before the first marker or after the last is no document. */
function numbered(parts: readonly string[], name: string, where: string): TextDocuments {
  const isEnd = (at: number) => at === 0 || at === parts.length - 1;
  const texts = parts.filter((text, at) => !isEnd(at) || text.trim() !== '');
  const documents = texts.map((text, at) => ({ name: `${name}, document ${at + 1}`, text }));
  return { documents, notes: [`${name}: ${texts.length} documents, cut at ${where}.`] };
}

function emptyNotes(empty: readonly TextDocument[]): string[] {
  if (empty.length === 0) return [];
  const shown = empty.slice(0, 5).map(({ name }) => name);
  const more = empty.length > shown.length ? ` and ${empty.length - shown.length} more` : '';
  return [`Empty and left out: ${shown.join('; ')}${more}.`];
}
