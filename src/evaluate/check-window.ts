import { PithError } from '../util/errors.ts';
import type { ScoreOptions, TokenScorer, TokenWindow } from './scorer.ts';

/**
 * Refuses what no engine can score, before native code sees it.
 *
 * @throws PithError `usage` for an empty or too long window, token ids that the model does not have,
 * `top` above the vocabulary; `shape` when `at` is not `[scored, k]`.
 */
export function checkWindow(
  { tokens, first }: TokenWindow,
  { vocabulary, contextLength }: Pick<TokenScorer, 'vocabulary' | 'contextLength'>,
  { top = 0, at }: ScoreOptions = {},
): void {
  const scored = tokens.length - first;
  if (!(first >= 1 && scored >= 1)) {
    throw new PithError(
      'usage',
      `A window of ${tokens.length} tokens cannot be scored from token ${first} on: the first token ` +
        'of a text has no prediction.',
      'Give windows of at least two tokens.',
    );
  }
  if (tokens.length > contextLength) {
    throw new PithError(
      'usage',
      `A window of ${tokens.length} tokens is longer than the context of ${contextLength}.`,
      `Use windows of at most ${contextLength} tokens.`,
    );
  }
  if (!(Number.isInteger(top) && top >= 0 && top <= vocabulary)) {
    throw new PithError('usage', `The model has ${vocabulary} tokens; the top ${top} are wanted.`);
  }
  if (at !== undefined && at.length % scored !== 0) {
    throw new PithError(
      'shape',
      `${at.length} token ids are not the same number for each of ${scored} scored tokens.`,
    );
  }
  checkIds(tokens, vocabulary);
  if (at) checkIds(at, vocabulary);
}

function checkIds(ids: Int32Array, vocabulary: number): void {
  const place = ids.findIndex((id) => id < 0 || id >= vocabulary);
  if (place < 0) return;
  throw new PithError(
    'usage',
    `Token ${ids[place]} at place ${place} is not in the vocabulary of ${vocabulary} tokens.`,
    'Was the text tokenized for another model?',
  );
}
