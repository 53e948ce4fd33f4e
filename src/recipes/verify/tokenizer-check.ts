import type { TriedText } from '../../runtime/llama-trial.ts';
import { wrong } from './check.ts';
import { probeTexts } from './probe-texts.ts';

/** Ids shown on each side of the first difference. */
const shown = 6;

/**
 * Compares llama.cpp's tokens of the probe texts, special tokens as plain text, with the source's.
 *
 * @throws {@link PithError} `verify-failed` naming the text and the first token that differs.
 */
export function compareTokens(
  tried: readonly TriedText[],
  source: readonly (readonly number[])[],
): string {
  for (const [place, { name }] of probeTexts.entries()) {
    const expected = source[place]!;
    const actual = tried[place]!.tokens;
    const at = firstDifference(expected, actual);
    if (at >= 0) {
      throw wrong(
        `the ${name} text becomes other tokens from place ${at} on: ${window(actual, at)} ` +
          `instead of ${window(expected, at)}`,
      );
    }
  }
  const tokens = tried.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return `${tokens} tokens of ${probeTexts.length} texts equal the source tokenizer's`;
}

/**
 * Without a source: every probe text must come back from its tokens.
 *
 * @throws {@link PithError} `verify-failed` naming the text that does not.
 */
export function checkRoundTrip(tried: readonly TriedText[]): string {
  for (const [place, { name, text }] of probeTexts.entries()) {
    const back = tried[place]!.text;
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
