import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrap } from './wrap.ts';

test('breaks at spaces, keeps given line breaks, lets a long word stick out', () => {
  expect(wrap('one two three\nfour incomprehensibilities', 8)).toEqual([
    'one two',
    'three',
    'four',
    'incomprehensibilities',
  ]);
});

test('no word is lost, and no line of several words is too wide', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 30 }), (list, columns) => {
      const lines = wrap(list.join(' '), columns);
      expect(lines.join(' ')).toBe(list.join(' '));
      for (const line of lines) {
        if (line.includes(' ')) expect(line.length).toBeLessThanOrEqual(columns);
      }
    }),
  );
});
