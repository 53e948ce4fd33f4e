import type { LlamaVocabulary } from '../../runtime/llama.ts';
import { wrong } from './check.ts';
import { probeTexts } from './probe-texts.ts';

/** Text to token ids, special tokens not recognised and none added. */
export type Encode = (text: string) => readonly number[];

/** Ids shown on each side of the first difference. */
const shown = 6;

/**
 * Compares llama.cpp's tokens of the probe texts, special tokens as plain text, with the source's.
 *
 * @throws {@link PithError} `verify-failed` naming the text and the first token that differs.
 */
export function compareTokens(vocabulary: LlamaVocabulary, encode: Encode): string {
  let tokens = 0;
  for (const { name, text } of probeTexts) {
    const expected = encode(text);
    const actual = vocabulary.tokenize(text, false);
    const at = firstDifference(expected, actual);
    if (at >= 0) {
      throw wrong(
        `the ${name} text becomes other tokens from place ${at} on: ${window(actual, at)} ` +
          `instead of ${window(expected, at)}`,
      );
    }
    tokens += actual.length;
  }
  return `${tokens} tokens of ${probeTexts.length} texts equal the source tokenizer's`;
}

/**
 * Without a source: every probe text must come back from its tokens.
 *
 * @throws {@link PithError} `verify-failed` naming the text that does not.
 */
export function roundTrip(vocabulary: LlamaVocabulary): string {
  for (const { name, text } of probeTexts) {
    const back = vocabulary.detokenize(vocabulary.tokenize(text, false), true);
    if (back.trim() !== text.trim()) {
      throw wrong(`the ${name} text comes back from its tokens as ${JSON.stringify(back)}`);
    }
  }
  return `${probeTexts.length} texts come back from their tokens`;
}

function firstDifference(expected: readonly number[], actual: readonly number[]): number {
  const longer = expected.length > actual.length ? expected : actual;
  return longer.findIndex((_, at) => expected[at] !== actual[at]);
}

function window(tokens: readonly number[], at: number): string {
  return tokens.slice(at, at + shown).join(' ');
}
