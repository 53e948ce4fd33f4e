import { describe, expect, test } from 'vitest';
import type { Metadata, MetadataValue } from '../formats/gguf/metadata.ts';
import { openingToken, requireSameVocabulary, type VocabularyOwner } from './vocabulary.ts';

function owner(
  source: string,
  tokens: readonly string[],
  more: Record<string, MetadataValue> = {},
) {
  const metadata: Metadata = new Map<string, MetadataValue>([
    ['tokenizer.ggml.tokens', { type: 'array', items: 'string', value: tokens }],
    ...Object.entries(more).map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const),
  ]);
  return { source, metadata } satisfies VocabularyOwner;
}

function merges(value: readonly string[]): Record<string, MetadataValue> {
  return { merges: { type: 'array', items: 'string', value } };
}

function adds(value: boolean): MetadataValue {
  return { type: 'bool', value };
}

const text = (value: string): MetadataValue => ({ type: 'string', value });

describe('requireSameVocabulary', () => {
  test('the same tokens and merges pass', () => {
    const own = owner('a', ['x', 'y'], { model: text('gpt2'), ...merges(['a b']) });
    expect(() => requireSameVocabulary(own, { ...own, source: 'b' })).not.toThrow();
  });

  test.each([
    [['x', 'z'], 'token 1 is "y" in a and "z" in b'],
    [['x'], 'token 1 is "y" in a and missing in b'],
  ])('tokens x y and %j are refused, naming the first that differs', (tokens, message) => {
    const error = expect.objectContaining({
      code: 'conflict',
      message: expect.stringContaining(message),
    });
    expect(() => requireSameVocabulary(owner('a', ['x', 'y']), owner('b', tokens))).toThrow(error);
  });

  test('other merges or another pre-tokenizer of the same tokens are refused', () => {
    const one = owner('a', ['x'], merges(['p q', 'r s']));
    expect(() => requireSameVocabulary(one, owner('b', ['x'], merges(['p q', 's r'])))).toThrow(
      'a and b have different tokenizers: their merges differ (at place 1).',
    );
    const pre = (value: string) => owner(value, ['x'], { pre: text(value) });
    expect(() => requireSameVocabulary(pre('llama-bpe'), pre('gpt-2'))).toThrow(
      'their pre-tokenizer differ',
    );
  });
});

describe('openingToken', () => {
  const bos: MetadataValue = { type: 'uint32', value: 1 };

  test.each([
    ['asked for', { bos_token_id: bos, add_bos_token: adds(true) }, 1],
    ['refused', { bos_token_id: bos, add_bos_token: adds(false), model: text('llama') }, undefined],
    ['silent, byte-level BPE', { bos_token_id: bos, model: text('gpt2') }, undefined],
    ['silent, SentencePiece', { bos_token_id: bos, model: text('llama') }, 1],
    ['asked for without a token', { add_bos_token: adds(true) }, undefined],
  ])('%s', (_, keys, expected) => {
    expect(openingToken(owner('a', ['x'], keys))).toBe(expected);
  });
});
