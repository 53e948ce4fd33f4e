import { PithError } from '../../../util/errors.ts';

/** Says whether one character (one code point) belongs to a class. */
export type CharacterTest = (character: string) => boolean;

/** Oniguruma's `\w` and `\s`, which differ from JavaScript's outside ASCII. */
const shorthands: Record<string, string> = {
  s: '\\p{White_Space}',
  d: '\\p{Nd}',
  w: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
  h: '0-9A-Fa-f',
};

const posixClasses: Record<string, string> = {
  alpha: '\\p{Alphabetic}',
  digit: '\\p{Nd}',
  alnum: '\\p{Alphabetic}\\p{Nd}',
  upper: '\\p{Uppercase}',
  lower: '\\p{Lowercase}',
  space: '\\p{White_Space}',
  punct: '\\p{P}\\p{S}',
};

const controlEscapes: Record<string, string> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\u0007',
  e: '\u001b',
};

/** The character that `\t`, `\n`, ... stand for, or undefined. */
export function controlEscape(letter: string): string | undefined {
  return controlEscapes[letter];
}

/** The `v`-mode source of one literal character. */
export function literalSource(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** The `v`-mode source of `\s`, `\D`, ... or undefined when the letter is no shorthand. */
export function shorthandSource(letter: string): string | undefined {
  const lower = letter.toLowerCase();
  const source = shorthands[lower];
  if (source === undefined) return undefined;
  return letter === lower ? `[${source}]` : `[^${source}]`;
}

/** The `v`-mode source of `[:alpha:]` and its kin, or undefined. */
export function posixSource(name: string, negated: boolean): string | undefined {
  const source = posixClasses[name];
  if (source === undefined) return undefined;
  return negated ? `[^${source}]` : `[${source}]`;
}

/** The `v`-mode source of `\p{name}`; scripts may be named without `Script=`, as Oniguruma does. */
export function propertySource(name: string, negated: boolean): string {
  const inverse = negated !== name.startsWith('^');
  const bare = name.replace(/^\^/, '');
  if (/^[A-Za-z_=]{1,60}$/.test(bare)) {
    for (const candidate of [bare, `Script=${bare}`]) {
      const source = `\\${inverse ? 'P' : 'p'}{${candidate}}`;
      if (isValidClass(source)) return source;
    }
  }
  throw new PithError(
    'unsupported',
    `The pre-tokenizer regex uses the unknown Unicode property "${name.slice(0, 60)}".`,
    'Check the pre_tokenizer section of tokenizer.json.',
  );
}

function isValidClass(source: string): boolean {
  try {
    return new RegExp(source, 'v') instanceof RegExp;
  } catch {
    return false;
  }
}

/**
 * Compiles a `v`-mode class source that matches exactly one code point, with a cache per character.
 *
 * Only single characters ever reach the JavaScript engine, so no regex can run away in it.
 */
export function classTest(source: string, ignoreCase: boolean): CharacterTest {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^${source}$`, ignoreCase ? 'vi' : 'v');
  } catch (cause) {
    throw new PithError(
      'corrupt',
      `The pre-tokenizer regex holds an invalid character class: ${source.slice(0, 80)}.`,
      'Check the pre_tokenizer section of tokenizer.json.',
      { cause },
    );
  }
  const known = new Map<string, boolean>();
  return (character) => {
    let answer = known.get(character);
    if (answer === undefined) known.set(character, (answer = pattern.test(character)));
    return answer;
  };
}
