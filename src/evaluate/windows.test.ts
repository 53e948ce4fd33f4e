import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkVocabulary, cutWindows, type EvaluationTokenizer } from './windows.ts';

/** A letter a token, so that ids can be read. */
function letters(bos?: number): EvaluationTokenizer {
  return {
    encode: (text) => Array.from(text, (letter) => letter.codePointAt(0)!),
    decode: (tokens) => String.fromCodePoint(...tokens),
    bos,
  };
}

function cut(texts: readonly string[], options: Parameters<typeof cutWindows>[2], bos?: number) {
  const documents = texts.map((text, at) => ({ name: `d${at + 1}`, text }));
  return cutWindows(documents, letters(bos), options);
}

/** `abc|de`: context before the bar, scored tokens behind it. */
function shown(windows: ReturnType<typeof cut>): string[] {
  return windows.windows.map(({ tokens, first, document }) => {
    const text = String.fromCodePoint(...tokens);
    return `${document} ${text.slice(0, first)}|${text.slice(first)}`;
  });
}

describe('cutWindows', () => {
  test('windows of 4 with stride 2, without BOS: every token but the first is scored once', () => {
    const windows = cut(['abcdefg', 'xyz'], { context: 4, stride: 2 });
    expect(shown(windows)).toEqual(['0 a|bcd', '0 cd|ef', '0 def|g', '1 x|yz']);
    expect(windows.tokens).toBe(8);
    expect(windows.documents).toEqual([
      { name: 'd1', tokens: 6, bytes: 6 },
      { name: 'd2', tokens: 2, bytes: 2 },
    ]);
  });

  test('with BOS every window begins with it and every token is scored', () => {
    const windows = cut(['abcdef', 'xy'], { context: 4, stride: 2 }, '^'.codePointAt(0));
    expect(shown(windows)).toEqual(['0 ^|abc', '0 ^c|de', '0 ^de|f', '1 ^|xy']);
    expect(windows.tokens).toBe(8);
  });

  test('any documents, context and stride: each document comes back from its scored tokens, no other in it', () => {
    const text = fc.string({
      minLength: 2,
      maxLength: 40,
      unit: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 3, max: 12 }),
        fc.nat(),
        fc.boolean(),
        (texts, context, spread, withBos) => {
          const stride = 1 + (spread % (context - 2));
          fc.pre(texts.join('').length - texts.length >= context);
          const windows = cut(texts, { context, stride }, withBos ? 94 : undefined);
          const scored = texts.map(() => '');
          for (const { tokens, first, document } of windows.windows) {
            expect(tokens.length).toBeLessThanOrEqual(context);
            const before = scored[document]!.length + (withBos ? 0 : 1);
            const seen = first - (withBos ? 1 : 0);
            expect(seen).toBeGreaterThanOrEqual(
              Math.min(before, context - stride - (withBos ? 1 : 0)),
            );
            scored[document] += String.fromCodePoint(...tokens.slice(first));
          }
          expect(scored).toEqual(texts.map((text) => (withBos ? text : text.slice(1))));
        },
      ),
    );
  });

  test('maxTokens cuts the last document, bytes and all', () => {
    const windows = cut(['abcd', 'vwxyz', 'no'], { context: 3, stride: 1, maxTokens: 5 });
    expect(windows.documents).toEqual([
      { name: 'd1', tokens: 3, bytes: 3 },
      { name: 'd2', tokens: 2, bytes: 2 },
    ]);
  });

  test('bytes are those of the scored text: é is two, the unscored first letter none', () => {
    expect(cut(['éaéa'], { context: 4, stride: 2 }).documents[0]!.bytes).toBe(4);
  });

  test('a document of one token is named; text shorter than a window is refused with both numbers', () => {
    expect(cut(['a', 'bcdef'], { context: 4, stride: 2 }).notes).toEqual([
      'd1 has 1 token: nothing to predict.',
    ]);
    expect(() => cut(['abc'], { context: 8, stride: 4 })).toThrow(
      'The text has 2 tokens to score, fewer than one window of 8.',
    );
  });

  test('a stride that leaves no context is refused', () => {
    expect(() => cut(['abcdef'], { context: 4, stride: 4 })).toThrow(/stride of 4/);
  });

  test('a token outside the vocabulary is refused, naming the document', () => {
    const windows = cut(['abc', 'abz'], { context: 3, stride: 1 });
    const model = { vocabulary: 'z'.codePointAt(0)!, source: 'tiny' };
    expect(() => checkVocabulary(windows, model)).toThrow(
      'd2 has token 122, but tiny knows 0 to 121.',
    );
  });
});
