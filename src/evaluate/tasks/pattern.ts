import { PithError } from '../../util/errors.ts';

/** No honest pattern of a task is longer; hostile ones take exponential time. */
const maxPattern = 300;
const flagNames: Readonly<Record<string, string>> = { i: 'i', m: 'm', s: 's' };

/**
 * A regular expression written for Python's `re`: inline flags at its start and `(?P<name>` are
 * translated, what else differs is refused by JavaScript.
 *
 * @param where - Who asks for it, for messages.
 * @throws {@link PithError} `unsupported`.
 * @remarks Runs in JavaScript's backtracking engine over one answer at a time.
 */
export function pythonPattern(source: string, where: string): RegExp {
  const [inline = '', letters = ''] = /^\(\?([a-z]+)\)/.exec(source) ?? [];
  const flags = Array.from(letters, (letter) => flagNames[letter] ?? '?').join('');
  const rest = source
    .slice(inline.length)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\Z', '$(?![\\s\\S])');
  try {
    if (source.length > maxPattern) throw new Error(`it is longer than ${maxPattern} characters`);
    return new RegExp(rest, `g${flags}`);
  } catch (cause) {
    throw new PithError(
      'unsupported',
      `${where}: the pattern ${JSON.stringify(source.slice(0, maxPattern))} cannot be used: ${(cause as Error).message}.`,
      'Write it in the part of regular expressions that Python and JavaScript share.',
      { cause },
    );
  }
}
