import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { invalidUtf8Offset } from './utf8.ts';

describe('invalidUtf8Offset', () => {
  test.each([
    ['a byte that only continues', [0x61, 0x80], 1],
    ['an overlong slash', [0x2f, 0xc0, 0xaf], 1],
    ['an overlong sequence of three', [0xe0, 0x9f, 0xbf], 0],
    ['a surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
    ['a value above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
    ['a sequence cut by the end', [0x61, 0xe2, 0x82], 1],
    ['Latin-1 text', [0x63, 0x61, 0x66, 0xe9, 0x21], 3],
  ])('%s is found where it begins', (_, bytes, offset) => {
    expect(invalidUtf8Offset(Uint8Array.from(bytes))).toBe(offset);
  });

  test('says the same as TextDecoder for any bytes', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const valid = () => strict.decode(bytes);
        if (invalidUtf8Offset(bytes) === undefined) expect(valid).not.toThrow();
        else expect(valid).toThrow(TypeError);
      }),
    );
  });

  test('every character of any text is valid', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(invalidUtf8Offset(new TextEncoder().encode(text))).toBeUndefined();
      }),
    );
  });
});
