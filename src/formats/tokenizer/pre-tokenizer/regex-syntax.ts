import { classSource, escapeSource } from './regex-characters.ts';
import { classTest, literalSource } from './regex-class.ts';
import type { Assertion, RegexNode, RepeatMode } from './regex-node.ts';
import { RegexScanner, unsupported } from './regex-scanner.ts';

/** Quantifiers after one atom. */
const mostStacked = 40;

const assertionEscapes: Record<string, Assertion> = {
  b: 'word-edge',
  B: 'no-edge',
  A: 'text-start',
  z: 'text-end',
  Z: 'last-line-end',
};

const lookGroups: readonly [string, { ahead: boolean; negated: boolean }][] = [
  ['?<=', { ahead: false, negated: false }],
  ['?<!', { ahead: false, negated: true }],
  ['?=', { ahead: true, negated: false }],
  ['?!', { ahead: true, negated: true }],
];

interface Quantifier {
  readonly min: number;
  readonly max: number;
  readonly mode: RepeatMode;
}

const quantifierRanges: Record<string, { min: number; max: number }> = {
  '*': { min: 0, max: Infinity },
  '+': { min: 1, max: Infinity },
  '?': { min: 0, max: 1 },
};

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

/**
 * Parses the Oniguruma syntax that tokenizer.json regexes are written in: possessive quantifiers,
 * atomic groups, inline `(?i)`, nested classes with `&&`, lookaround, `\p{...}`, POSIX classes.
 *
 * @throws {@link PithError} `corrupt` for a malformed regex; `unsupported` for back-references,
 *   recursion, more than 20,000 characters or 40 nested groups.
 * @see Oniguruma 6.9 doc/RE; `^` and `$` match at every line, `x{2}+` repeats `x{2}`.
 */
export function parseRegex(source: string): RegexNode {
  const scanner = new RegexScanner(source);
  const node = choice(scanner, { ignoreCase: false, dotAll: false });
  if (!scanner.done) throw scanner.malformed('an unmatched ")"');
  return node;
}

/** Alternatives up to a ")" or the end; `a(?i)b|c` means `a(?i:b|c)`, as in Oniguruma. */
function choice(scanner: RegexScanner, flags: Flags): RegexNode {
  return scanner.nested('groups', () => {
    const options: RegexNode[] = [];
    let items: RegexNode[] = [];
    while (!scanner.done && scanner.peek() !== ')') {
      if (scanner.accept('|')) {
        options.push({ kind: 'sequence', items });
        items = [];
      } else if (skippedComment(scanner)) continue;
      else {
        const inline = inlineFlags(scanner, flags);
        items.push(inline ? choice(scanner, inline) : quantified(scanner, atom(scanner, flags)));
      }
    }
    options.push({ kind: 'sequence', items });
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  });
}

function skippedComment(scanner: RegexScanner): boolean {
  if (!scanner.accept('(?#')) return false;
  while (scanner.next() !== ')');
  return true;
}

/** `(?i)` or `(?-i)` standing alone. */
function inlineFlags(scanner: RegexScanner, flags: Flags): Flags | undefined {
  const match = scanner.take(/^\(\?([a-z]*)(?:-([a-z]*))?\)/);
  return match ? withFlags(flags, match[1]!, match[2] ?? '') : undefined;
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  if (/[^im]/.test(on + off)) throw unsupported(`the option "(?${on}${off && `-${off}`})"`);
  return {
    ignoreCase: on.includes('i') || (flags.ignoreCase && !off.includes('i')),
    dotAll: on.includes('m') || (flags.dotAll && !off.includes('m')),
  };
}

function quantified(scanner: RegexScanner, of: RegexNode): RegexNode {
  let item = of;
  for (let stacked = 0; ; stacked++) {
    const range = quantifier(scanner);
    if (!range) return item;
    if (stacked > mostStacked) throw unsupported(`more than ${mostStacked} quantifiers in a row`);
    item = { kind: 'repeat', item, ...range };
  }
}

function quantifier(scanner: RegexScanner): Quantifier | undefined {
  const counted = countedQuantifier(scanner);
  if (counted) return counted;
  const range = quantifierRanges[scanner.peek() ?? ''];
  if (!range) return undefined;
  scanner.next();
  const mode = scanner.accept('?') ? 'lazy' : scanner.accept('+') ? 'possessive' : 'greedy';
  return { ...range, mode };
}

/** `{2}`, `{2,}`, `{,3}` or `{2,3}`; `{2}?` is not lazy but optional, so its `?` is left alone. */
function countedQuantifier(scanner: RegexScanner): Quantifier | undefined {
  const braces = scanner.take(/^\{(?:(\d{1,9})(,)?(\d{1,9})?|,(\d{1,9}))\}/);
  if (!braces) return undefined;
  const [, low, comma, high, only] = braces;
  const min = Number(low ?? 0);
  const max = Number(high ?? only ?? (comma ? Infinity : min));
  if (max < min) throw scanner.malformed(`a range {${min},${max}}`);
  const isRange = comma !== undefined || only !== undefined;
  return { min, max, mode: isRange && scanner.accept('?') ? 'lazy' : 'greedy' };
}

function atom(scanner: RegexScanner, flags: Flags): RegexNode {
  const character = scanner.next();
  if (character === '(') return group(scanner, flags);
  if (character === '[') return classNode(classSource(scanner), flags);
  if (character === '\\') return escape(scanner, flags);
  if (character === '^') return { kind: 'assert', assertion: 'line-start' };
  if (character === '$') return { kind: 'assert', assertion: 'line-end' };
  if (character === '.') return classNode(flags.dotAll ? '[^]' : '[^\\n]', flags);
  if ('*+?'.includes(character)) throw scanner.malformed(`a "${character}" that repeats nothing`);
  return classNode(literalSource(character), flags);
}

function escape(scanner: RegexScanner, flags: Flags): RegexNode {
  const assertion = assertionEscapes[scanner.peek() ?? ''];
  if (!assertion) return classNode(escapeSource(scanner), flags);
  scanner.next();
  return { kind: 'assert', assertion };
}

function classNode(source: string, flags: Flags): RegexNode {
  return { kind: 'character', test: classTest(source, flags.ignoreCase) };
}

function group(scanner: RegexScanner, flags: Flags): RegexNode {
  for (const [mark, look] of lookGroups)
    if (scanner.accept(mark)) return { kind: 'look', item: closed(scanner, flags), ...look };
  if (scanner.accept('?>')) return { kind: 'atomic', item: closed(scanner, flags) };
  const options = scanner.take(/^\?([a-z]*)(?:-([a-z]*))?:/);
  if (options) return closed(scanner, withFlags(flags, options[1]!, options[2] ?? ''));
  const isNamed = scanner.take(/^\?(?:<\w+>|'\w+')/) !== null;
  if (!isNamed && scanner.peek() === '?') throw unsupported('an unknown kind of group');
  return closed(scanner, flags);
}

function closed(scanner: RegexScanner, flags: Flags): RegexNode {
  const node = choice(scanner, flags);
  if (!scanner.accept(')')) throw scanner.malformed('a missing ")"');
  return node;
}
