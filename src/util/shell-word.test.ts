import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test.each([
  ['./a-b_c.gguf', './a-b_c.gguf'],
  ['a@b:50%+=', 'a@b:50%+='],
  ['', "''"],
  ['a b', "'a b'"],
  ['$HOME `x` "y"', `'$HOME \`x\` "y"'`],
  // A shell joins what stands side by side: 'it', \' and 's'.
  ["it's", `'it'\\''s'`],
])('%j becomes %s', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
