import { PithError } from '../../../util/errors.ts';
import {
  classTest,
  controlEscape,
  literalSource,
  posixSource,
  propertySource,
  shorthandSource,
  type CharacterTest,
} from './regex-class.ts';

/** How many branches a quantifier tries and gives back. */
export type RepeatMode = 'greedy' | 'lazy' | 'possessive';

/** Places that consume nothing. */
export type Assertion =
  | 'line-start'
  | 'line-end'
  | 'text-start'
  | 'text-end'
  | 'last-line-end'
  | 'word-edge'
  | 'no-edge';

/** The parsed form of an Oniguruma regex, without captures. */
export type RegexNode =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | {
      readonly kind: 'repeat';
      readonly item: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly mode: RepeatMode;
    }
  | {
      readonly kind: 'look';
      readonly item: RegexNode;
      readonly ahead: boolean;
      readonly negated: boolean;
    }
  | { readonly kind: 'atomic'; readonly item: RegexNode }
  | { readonly kind: 'assert'; readonly assertion: Assertion };

const maxLength = 20_000;
const maxDepth = 40;

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
  const characters = Array.from(source);
  if (characters.length > maxLength)
    throw unsupported(`${characters.length} characters (limit ${maxLength})`);
  const parser = new RegexParser(characters);
  const node = parser.choice({ ignoreCase: false, dotAll: false });
  if (!parser.done) throw parser.malformed('an unmatched ")"');
  return node;
}

function unsupported(what: string): PithError {
  return new PithError(
    'unsupported',
    `The pre-tokenizer regex uses ${what}, which Pith does not run.`,
    'Report the model, so that its pre-tokenizer can be described.',
  );
}

class RegexParser {
  private readonly source: readonly string[];
  private at = 0;
  private depth = 0;

  constructor(source: readonly string[]) {
    this.source = source;
  }

  get done(): boolean {
    return this.at >= this.source.length;
  }

  malformed(what: string): PithError {
    return new PithError(
      'corrupt',
      `The pre-tokenizer regex has ${what} at character ${this.at}.`,
      'Check the pre_tokenizer section of tokenizer.json.',
    );
  }

  /** Alternatives up to a ")" or the end; `a(?i)b|c` means `a(?i:b|c)`, as in Oniguruma. */
  choice(flags: Flags): RegexNode {
    if (++this.depth > maxDepth) throw unsupported(`groups nested deeper than ${maxDepth}`);
    const options: RegexNode[] = [];
    let items: RegexNode[] = [];
    while (!this.done && this.source[this.at] !== ')') {
      if (this.accept('|')) {
        options.push({ kind: 'sequence', items });
        items = [];
      } else if (this.skippedComment()) continue;
      else {
        const inline = this.inlineFlags(flags);
        items.push(inline ? this.choice(inline) : this.quantified(this.atom(flags)));
      }
    }
    this.depth--;
    options.push({ kind: 'sequence', items });
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  private accept(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.source[this.at + i] !== text[i]) return false;
    this.at += text.length;
    return true;
  }

  private next(): string {
    const character = this.source[this.at];
    if (character === undefined) throw this.malformed('an unexpected end');
    this.at++;
    return character;
  }

  private lookingAt(pattern: RegExp): RegExpExecArray | null {
    return pattern.exec(this.source.slice(this.at, this.at + 64).join(''));
  }

  private skippedComment(): boolean {
    if (!this.accept('(?#')) return false;
    while (this.next() !== ')');
    return true;
  }

  /** `(?i)` or `(?-i)` standing alone. */
  private inlineFlags(flags: Flags): Flags | undefined {
    const match = this.lookingAt(/^\(\?([a-z]*)(?:-([a-z]*))?\)/);
    if (!match) return undefined;
    this.at += match[0].length;
    return this.withFlags(flags, match[1]!, match[2] ?? '');
  }

  private withFlags(flags: Flags, on: string, off: string): Flags {
    if (/[^im]/.test(on + off)) throw unsupported(`the option "(?${on}${off && `-${off}`})"`);
    return {
      ignoreCase: on.includes('i') || (flags.ignoreCase && !off.includes('i')),
      dotAll: on.includes('m') || (flags.dotAll && !off.includes('m')),
    };
  }

  private quantified(atom: RegexNode): RegexNode {
    let item = atom;
    for (let stacked = 0; ; stacked++) {
      const range = this.quantifier();
      if (!range) return item;
      if (stacked > maxDepth) throw unsupported(`more than ${maxDepth} quantifiers in a row`);
      item = { kind: 'repeat', item, ...range };
    }
  }

  private quantifier(): Quantifier | undefined {
    const counted = this.countedQuantifier();
    if (counted) return counted;
    const range = quantifierRanges[this.source[this.at] ?? ''];
    if (!range) return undefined;
    this.at++;
    const mode = this.accept('?') ? 'lazy' : this.accept('+') ? 'possessive' : 'greedy';
    return { ...range, mode };
  }

  /** `{2}`, `{2,}`, `{,3}` or `{2,3}`; `{2}?` is not lazy but optional, so its `?` is left alone. */
  private countedQuantifier(): Quantifier | undefined {
    const braces = this.lookingAt(/^\{(?:(\d{1,9})(,)?(\d{1,9})?|,(\d{1,9}))\}/);
    if (!braces) return undefined;
    this.at += braces[0].length;
    const [, low, comma, high, only] = braces;
    const min = Number(low ?? 0);
    const max = Number(high ?? only ?? (comma ? Infinity : min));
    if (max < min) throw this.malformed(`a range {${min},${max}}`);
    const isRange = comma !== undefined || only !== undefined;
    return { min, max, mode: isRange && this.accept('?') ? 'lazy' : 'greedy' };
  }

  private atom(flags: Flags): RegexNode {
    const character = this.next();
    if (character === '(') return this.group(flags);
    if (character === '[') return this.classNode(this.classSource(), flags);
    if (character === '\\') return this.escape(flags);
    if (character === '^') return { kind: 'assert', assertion: 'line-start' };
    if (character === '$') return { kind: 'assert', assertion: 'line-end' };
    if (character === '.') return this.classNode(flags.dotAll ? '[^]' : '[^\\n]', flags);
    if ('*+?'.includes(character)) throw this.malformed(`a "${character}" that repeats nothing`);
    return this.classNode(literalSource(character), flags);
  }

  private classNode(source: string, flags: Flags): RegexNode {
    return { kind: 'character', test: classTest(source, flags.ignoreCase) };
  }

  private group(flags: Flags): RegexNode {
    for (const [mark, look] of lookGroups)
      if (this.accept(mark)) return { kind: 'look', item: this.closed(flags), ...look };
    if (this.accept('?>')) return { kind: 'atomic', item: this.closed(flags) };
    const options = this.lookingAt(/^\?([a-z]*)(?:-([a-z]*))?:/);
    if (options) {
      this.at += options[0].length;
      return this.closed(this.withFlags(flags, options[1]!, options[2] ?? ''));
    }
    const named = this.lookingAt(/^\?(?:<\w+>|'\w+')/);
    if (named) this.at += named[0].length;
    else if (this.source[this.at] === '?') throw unsupported('an unknown kind of group');
    return this.closed(flags);
  }

  private closed(flags: Flags): RegexNode {
    const node = this.choice(flags);
    if (!this.accept(')')) throw this.malformed('a missing ")"');
    return node;
  }

  private escape(flags: Flags): RegexNode {
    const assertion = assertionEscapes[this.source[this.at] ?? ''];
    if (assertion) {
      this.at++;
      return { kind: 'assert', assertion };
    }
    return this.classNode(this.escapeSource(), flags);
  }

  /** The `v`-mode source of what follows a backslash, inside or outside a class. */
  private escapeSource(): string {
    const letter = this.next();
    const shorthand = shorthandSource(letter);
    if (shorthand) return shorthand;
    const control = controlEscape(letter);
    if (control) return literalSource(control);
    if (letter === 'p' || letter === 'P') {
      const property = this.lookingAt(/^\{([^}]{1,60})\}/);
      if (!property) throw this.malformed(`a "\\${letter}" without {name}`);
      this.at += property[0].length;
      return propertySource(property[1]!, letter === 'P');
    }
    const code = letter === 'x' || letter === 'u' ? this.codeEscape(letter) : undefined;
    if (code !== undefined) return literalSource(code);
    if (/[A-Za-z1-9]/.test(letter)) throw unsupported(`"\\${letter}"`);
    return literalSource(letter === '0' ? '\0' : letter);
  }

  private codeEscape(letter: string): string {
    const form =
      letter === 'u' ? /^([0-9A-Fa-f]{4})/ : /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{1,2}))/;
    const match = this.lookingAt(form);
    const code = match ? parseInt(match[1] ?? match[2]!, 16) : Infinity;
    if (code > 0x10ffff) throw this.malformed(`a bad "\\${letter}" escape`);
    this.at += match![0].length;
    return String.fromCodePoint(code);
  }

  /** Everything after "[" up to its "]", as `v`-mode source. */
  private classSource(): string {
    if (++this.depth > maxDepth) throw unsupported(`classes nested deeper than ${maxDepth}`);
    const negated = this.accept('^');
    let operands: string[] = [''];
    for (let first = true; first || this.source[this.at] !== ']'; first = false) {
      if (this.accept('&&')) operands.push('');
      else operands[operands.length - 1] += this.classItem();
    }
    this.at++;
    this.depth--;
    if (operands.length > 1) operands = operands.map((operand) => `[${operand}]`);
    return `[${negated ? '^' : ''}${operands.join('&&')}]`;
  }

  private classItem(): string {
    const from = this.classUnit();
    if (this.source[this.at] !== '-' || this.source[this.at + 1] === ']') return from;
    if (!from.startsWith('\\u{')) return from;
    this.at++;
    const to = this.classUnit();
    if (!to.startsWith('\\u{')) return `${from}\\u{2d}${to}`;
    return `${from}-${to}`;
  }

  private classUnit(): string {
    const posix = this.lookingAt(/^\[:(\^)?([a-z]+):\]/);
    const source = posix && posixSource(posix[2]!, posix[1] !== undefined);
    if (source) {
      this.at += posix[0].length;
      return source;
    }
    const character = this.next();
    if (character === '[') return this.classSource();
    if (character === '\\')
      return this.source[this.at] === 'b' ? this.backspace() : this.escapeSource();
    return literalSource(character);
  }

  private backspace(): string {
    this.at++;
    return literalSource('\b');
  }
}
