import { expect, test } from 'vitest';
import golden from '../../../../test/golden/tokenizer/regex.json' with { type: 'json' };
import { PithError } from '../../../util/errors.ts';
import { compileRegex } from './regex.ts';

function isolate(source: string, text: string, steps = 100_000): string[] {
  const characters = Array.from(text);
  const pieces: string[] = [];
  let done = 0;
  for (const [start, end] of compileRegex(source).findAll(characters, { left: steps })) {
    pieces.push(characters.slice(done, start).join(''), characters.slice(start, end).join(''));
    done = end;
  }
  pieces.push(characters.slice(done).join(''));
  return pieces.filter((piece) => piece !== '');
}

test(`every regex of the golden file cuts as Oniguruma does (${golden.source})`, () => {
  for (const [regex, text, pieces] of golden.cases as [string, string, string[]][])
    expect([regex, isolate(regex, text)]).toEqual([regex, pieces]);
});

const refused: [why: string, regex: string, code: string][] = [
  ['a back-reference', '(a)\\1', 'unsupported'],
  ['an unknown property', '\\p{Klingon}', 'unsupported'],
  ['a property that closes the class', '\\p{L}]', 'none'],
  ['an open group', '(a', 'corrupt'],
  ['a stray parenthesis', 'a)', 'corrupt'],
  ['an open class', '[a', 'corrupt'],
  ['a reversed range', '[z-a]', 'corrupt'],
  ['a reversed count', 'a{3,2}', 'corrupt'],
  ['a quantifier without an atom', '+a', 'corrupt'],
  ['a trailing backslash', 'a\\', 'corrupt'],
  ['a code point past Unicode', '\\x{110000}', 'corrupt'],
  ['41 nested groups', `${'('.repeat(41)}${')'.repeat(41)}`, 'unsupported'],
  ['41 nested classes', '['.repeat(100), 'unsupported'],
  ['20,001 characters', 'a'.repeat(20_001), 'unsupported'],
  ['a stack of quantifiers', `a${'*'.repeat(100)}`, 'unsupported'],
  ['an unknown group', '(?~a)', 'unsupported'],
];

test.each(refused)('%s is answered with a PithError or a regex', (_, regex, code) => {
  try {
    compileRegex(regex);
    expect(code).toBe('none');
  } catch (error) {
    expect(error).toBeInstanceOf(PithError);
    expect((error as PithError).code).toBe(code);
  }
});

test.each(['(a+)+$', '(a|a)*$', '(a*)*b', '(?:a|aa)+$', '(.*)*(.*)*(.*)*x'])(
  'the runaway regex %s stops after its 100,000 steps',
  (regex) => {
    expect(() => isolate(regex, `${'a'.repeat(60)}!`)).toThrow(/backtracks too long/);
  },
);

test('deep recursion ends in a PithError, not in a stack overflow', () => {
  const regex = '(?:)'.repeat(4_900);
  expect(() => isolate(`${regex}a`, 'a'.repeat(10))).not.toThrow(RangeError);
  expect(() => isolate('a*b', 'a'.repeat(200_000), 1e9)).toThrow(/too deep/);
});
