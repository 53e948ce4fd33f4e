import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText, encodeText } from './text.ts';

test('any bytes survive the way to text and back', () => {
  const edges = fc.constantFrom(0x7f, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xa0, 0xf0, 0x90, 0xf4, 0xff);
  const bytes = fc.array(fc.oneof(fc.nat(255), edges)).map((bytes) => Uint8Array.from(bytes));
  fc.assert(
    fc.property(bytes, (bytes) => {
      expect(encodeText(decodeText(bytes))).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('valid UTF-8 is decoded as TextDecoder does, a byte order mark included', () => {
  const point = fc.oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }));
  fc.assert(
    fc.property(fc.array(point), (points) => {
      const text = String.fromCodePoint(0xfeff, ...points);
      expect(decodeText(new TextEncoder().encode(text))).toBe(text);
    }),
  );
});

test('bytes that are not UTF-8 become U+DC80 to U+DCFF beside the valid characters', () => {
  const bytes = Uint8Array.of(
    0x61,
    0xff,
    0xc3,
    0xa9,
    0xc3,
    0xf0,
    0x9f,
    0x99,
    0x82,
    0xed,
    0xa0,
    0x80,
  );
  expect(decodeText(bytes)).toBe('a\udcffé\udcc3🙂\udced\udca0\udc80');
});

test('overlong forms, surrogates and code points past U+10FFFF are not UTF-8', () => {
  for (const bytes of [
    [0xc0, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0xbf, 0xbf],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
  ]) {
    const expected = String.fromCharCode(...bytes.map((byte) => 0xdc00 + byte));
    expect(decodeText(Uint8Array.from(bytes))).toBe(expected);
  }
});

test('a lone surrogate that stands for no byte is refused, not replaced', () => {
  expect(() => encodeText('a\ud83d')).toThrow('lone surrogate U+D83D');
});

test('a million invalid bytes take linear time', () => {
  expect(decodeText(new Uint8Array(2 ** 20).fill(0x80)).length).toBe(2 ** 20);
});
