import { expect, test } from 'vitest';
import golden from '../../../../test/golden/tokenizer/pre-tokenizers.json' with { type: 'json' };
import { parseTokenizerJson, type TokenizerJson } from '../tokenizer-json.ts';
import { knownPreTokenizers } from './known.ts';
import { buildPreTokenizer, isolateInTurn } from './pre-tokenize.ts';
import { probeTexts } from './probe.ts';
import { recognizePreTokenizer } from './recognize.ts';

const budget = () => ({ left: 10_000_000 });

function tokenizerWith(preTokenizer: unknown, ignoreMerges = false): TokenizerJson {
  return parseTokenizerJson({
    pre_tokenizer: preTokenizer,
    model: {
      type: 'BPE',
      vocab: { a: 0, b: 1, ab: 2, aab: 3 },
      merges: ['a b'],
      ignore_merges: ignoreMerges,
    },
  });
}

const families = golden.families.map((family) => [family.name, family] as const);

test.each(families)('%s cuts the golden texts as tokenizers 0.23.3 does', (_, family) => {
  const run = buildPreTokenizer(tokenizerWith(family.preTokenizer).preTokenizers);
  golden.texts.forEach((text, i) => expect(run(text, budget())).toEqual(family.pieces[i]));
});

test.each(families)('the published pre-tokenizer of %s is recognised', (name, family) => {
  const tokenizer = tokenizerWith(family.preTokenizer, family.ignoreMerges);
  const recognized = recognizePreTokenizer(tokenizer, family.cleansSpaces).name;
  const row = knownPreTokenizers.find((known) => known.name === recognized)!;
  expect([recognized, ...row.aliases]).toContain(name);
});

test('every behaviour in the table differs from every other on the probe texts', () => {
  const seen = new Map<string, string>();
  for (const known of knownPreTokenizers) {
    const run = isolateInTurn(known.splits);
    const pieces = probeTexts.map((text) => run(text, budget()));
    const key = JSON.stringify([pieces, known.ignoreMerges, known.cleansSpaces]);
    expect([known.name, seen.get(key)]).toEqual([known.name, undefined]);
    seen.set(key, known.name);
  }
});

test('pieces put together give the text back, for every row of the table', () => {
  for (const known of knownPreTokenizers)
    for (const text of probeTexts)
      expect(isolateInTurn(known.splits)(text, budget()).join('')).toBe(text);
});

test('an unknown behaviour is refused with the first piece that differs', () => {
  const pairsOfDigits = {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{N}{1,2}' }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    ],
  };
  expect(() => recognizePreTokenizer(tokenizerWith(pairsOfDigits), undefined)).toThrow(
    /nearest, "(smollm|gpt-2|starcoder)", agrees on \d+ of 21 probe texts and cuts \[.*\] where this one cuts \[/,
  );
});

test('ignore_merges that would change ids is refused, and accepted where it cannot show', () => {
  const gpt2 = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
  expect(() => recognizePreTokenizer(tokenizerWith(gpt2, true), undefined)).toThrow(
    /ignore_merges/,
  );
  const reachable = parseTokenizerJson({
    pre_tokenizer: gpt2,
    model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'], ignore_merges: true },
  });
  expect(recognizePreTokenizer(reachable, undefined).name).toBe('gpt-2');
});

const split = (regex: string, behavior: string) => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior,
  invert: false,
});
const recognizing = (pre: unknown) => () => recognizePreTokenizer(tokenizerWith(pre), undefined);

test('a pre-tokenizer that drops text or holds a runaway regex is refused', () => {
  expect(recognizing(split('\\s+', 'Removed'))).toThrow(/No pre-tokenizer of llama.cpp/);
  expect(recognizing(split('(?:\\s*\\S*)*\\x{1}', 'Isolated'))).toThrow(/backtracks too long/);
  expect(recognizing({ type: 'UnicodeScripts' })).toThrow(/"UnicodeScripts" is not one/);
  expect(recognizing(split('a', 'Sideways'))).toThrow(/"Split" is malformed/);
});
