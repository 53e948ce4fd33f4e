import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextStream } from './text-stream.ts';

const decoder = new TextDecoder();
const stream = () => new TextStream((tokens) => decoder.decode(Uint8Array.from(tokens)));

test('an emoji in four one-byte tokens comes out whole with the fourth', () => {
  const text = stream();
  const pieces = [...new TextEncoder().encode('a👍b')].map((byte) => text.push(byte));
  expect(pieces).toEqual(['a', '', '', '', '👍', 'b']);
});

test('bytes that are no UTF-8 come out after four tokens, the rest when the answer ends', () => {
  const text = stream();
  expect([0xff, 0xff, 0xff, 0xff, 0xff].map((byte) => text.push(byte)).slice(0, 4)).toEqual([
    '',
    '',
    '',
    '\uFFFD\uFFFD\uFFFD\uFFFD',
  ]);
  expect(text.flush()).toBe('\uFFFD');
  expect(text.flush()).toBe('');
});

test('the first token knows the end of the prompt, later ones the text so far', () => {
  const seen: (readonly number[])[] = [];
  const text = new TextStream(
    (_, previous) => {
      seen.push(previous);
      return 'x';
    },
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  text.push(10);
  text.push(11);
  expect(seen).toEqual([
    [2, 3, 4, 5, 6, 7, 8, 9],
    [3, 4, 5, 6, 7, 8, 9, 10],
  ]);
});

test('any text in one-byte tokens comes out unchanged, never cut inside a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (expected) => {
      fc.pre(!expected.includes('\uFFFD'));
      const text = stream();
      const pieces = [...new TextEncoder().encode(expected)].map((byte) => text.push(byte));
      expect(pieces.join('') + text.flush()).toBe(expected);
      for (const piece of pieces) expect(piece).not.toContain('\uFFFD');
    }),
  );
});
