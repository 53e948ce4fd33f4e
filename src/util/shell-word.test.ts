import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test('plain words stay as they are', () => {
  expect(['./a-b_c.gguf', 'x=1', 'a@b:50%+'].map(shellWord)).toEqual([
    './a-b_c.gguf',
    'x=1',
    'a@b:50%+',
  ]);
});

test.skipIf(process.platform === 'win32')('a shell takes the others as they were', () => {
  const words = ['', 'a b', "it's", '$HOME `x` "y"', 'a\nb', '*', '\u00e9;!'];
  const line = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0')).toEqual([
    ...words,
    '',
  ]);
});
