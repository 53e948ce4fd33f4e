import {
  controlEscape,
  literalSource,
  posixSource,
  propertySource,
  shorthandSource,
} from './regex-class.ts';
import { unsupported, type RegexScanner } from './regex-scanner.ts';

/** The `v`-mode source of what follows a backslash, inside or outside a class. */
export function escapeSource(scanner: RegexScanner): string {
  const letter = scanner.next();
  const shorthand = shorthandSource(letter);
  if (shorthand) return shorthand;
  const control = controlEscape(letter);
  if (control) return literalSource(control);
  if (letter === 'p' || letter === 'P') {
    const property = scanner.take(/^\{([^}]{1,60})\}/);
    if (!property) throw scanner.malformed(`a "\\${letter}" without {name}`);
    return propertySource(property[1]!, letter === 'P');
  }
  if (letter === 'x' || letter === 'u') return literalSource(codeEscape(scanner, letter));
  if (/[A-Za-z1-9]/.test(letter)) throw unsupported(`"\\${letter}"`);
  return literalSource(letter === '0' ? '\0' : letter);
}

function codeEscape(scanner: RegexScanner, letter: 'x' | 'u'): string {
  const form =
    letter === 'u' ? /^([0-9A-Fa-f]{4})/ : /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{1,2}))/;
  const match = scanner.look(form);
  const code = match ? parseInt(match[1] ?? match[2]!, 16) : Infinity;
  if (code > 0x10ffff) throw scanner.malformed(`a bad "\\${letter}" escape`);
  scanner.take(form);
  return String.fromCodePoint(code);
}

/** Everything after "[" up to its "]", as `v`-mode source. */
export function classSource(scanner: RegexScanner): string {
  return scanner.nested('classes', () => {
    const negated = scanner.accept('^');
    let operands: string[] = [''];
    for (let first = true; first || scanner.peek() !== ']'; first = false) {
      if (scanner.accept('&&')) operands.push('');
      else operands[operands.length - 1] += classItem(scanner);
    }
    scanner.next();
    if (operands.length > 1) operands = operands.map((operand) => `[${operand}]`);
    return `[${negated ? '^' : ''}${operands.join('&&')}]`;
  });
}

function classItem(scanner: RegexScanner): string {
  const from = classUnit(scanner);
  if (scanner.peek() !== '-' || scanner.peek(1) === ']') return from;
  if (!from.startsWith('\\u{')) return from;
  scanner.next();
  const to = classUnit(scanner);
  if (!to.startsWith('\\u{')) return `${from}\\u{2d}${to}`;
  return `${from}-${to}`;
}

function classUnit(scanner: RegexScanner): string {
  const posix = posixClass(scanner);
  if (posix) return posix;
  const character = scanner.next();
  if (character === '[') return classSource(scanner);
  if (character !== '\\') return literalSource(character);
  return scanner.accept('b') ? literalSource('\b') : escapeSource(scanner);
}

/** `[:alpha:]` and its kin; nothing is taken of what is not one. */
function posixClass(scanner: RegexScanner): string | undefined {
  const form = /^\[:(\^)?([a-z]+):\]/;
  const match = scanner.look(form);
  const source = match && posixSource(match[2]!, match[1] !== undefined);
  if (source) scanner.take(form);
  return source ?? undefined;
}
