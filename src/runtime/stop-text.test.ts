import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StopText } from './stop-text.ts';

test('a stop text in three pieces never shows, what follows is dropped', () => {
  const stop = new StopText(['\nUser:']);
  expect(['Yes.\n', 'Us', 'er: and more'].map((piece) => stop.push(piece))).toEqual([
    'Yes.',
    '',
    '',
  ]);
  expect(stop.stopped).toBe(true);
  expect(stop.flush()).toBe('');
});

test('a false beginning comes out as soon as it is known to be false', () => {
  const stop = new StopText(['###']);
  expect(['a##', 'b', '#'].map((piece) => stop.push(piece))).toEqual(['a', '##b', '']);
  expect(stop.stopped).toBe(false);
  expect(stop.flush()).toBe('#');
});

test('however a text is cut, it shows up to the first stop text and no further', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(letters), fc.array(letters, { maxLength: 3 }), (pieces, stops) => {
      const watch = new StopText(stops);
      let shown = '';
      for (const piece of pieces) {
        if (!watch.stopped) shown += watch.push(piece);
      }
      shown += watch.flush();
      const all = pieces.join('');
      const ends = stops.filter((stop) => stop !== '' && all.includes(stop));
      expect(watch.stopped).toBe(ends.length > 0);
      for (const stop of ends) expect(shown).not.toContain(stop);
      expect(all.startsWith(shown)).toBe(true);
      if (ends.length === 0) expect(shown).toBe(all);
    }),
  );
});
