import type { TriedText } from '../../runtime/llama-trial.ts';
import { wrong } from './check.ts';
import { probeTexts } from './probe-texts.ts';

/** Ids shown on each side of the first difference. */
const shown = 6;

/**
 * Texts that llama.cpp v0.5.0 cuts otherwise with every WordPiece vocabulary that strips accents: it
 * leaves Hangul syllables whole, strips spacing marks and keeps format characters.
 */
const otherInWordPiece: ReadonlySet<string> = new Set(['korean', 'hindi', 'control']);

/**
 * Compares llama.cpp's tokens of the probe texts, special tokens as plain text, with the source's.
 *
 * @param kind - `tokenizer.ggml.model`; a WordPiece vocabulary (`bert`) may differ where llama.cpp
 *   always does, and the answer says where.
 * @throws {@link PithError} `verify-failed` naming the text and the first token that differs.
 */
export function compareTokens(
  tried: readonly TriedText[],
  source: readonly (readonly number[])[],
  kind?: unknown,
): string {
  const others: string[] = [];
  let tokens = 0;
  for (const [place, { name }] of probeTexts.entries()) {
    const expected = source[place]!;
    const actual = tried[place]!.tokens;
    const at = firstDifference(expected, actual);
    if (at < 0) tokens += actual.length;
    else if (kind === 'bert' && otherInWordPiece.has(name)) others.push(name);
    else {
      throw wrong(
        `the ${name} text becomes other tokens from place ${at} on: ${window(actual, at)} ` +
          `instead of ${window(expected, at)}`,
      );
    }
  }
  const equal = probeTexts.length - others.length;
  const limits =
    others.length > 0 ? `; llama.cpp cuts others its own way: ${others.join(', ')}` : '';
  return `${tokens} tokens of ${equal} texts equal the source tokenizer's${limits}`;
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
