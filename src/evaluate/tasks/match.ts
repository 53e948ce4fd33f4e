/** What an exact match leaves out of account. */
export interface MatchOptions {
  /** Parts that match are taken out first, one pattern after the other. */
  readonly ignored: readonly RegExp[];
  readonly ignoreCase: boolean;
  readonly ignorePunctuation: boolean;
  readonly ignoreNumbers: boolean;
}

/** Python's `string.punctuation`. */
const punctuation = /[!-/:-@[-`{-~]/g;

/** A text as it is compared, in the order of lm-evaluation-harness's `exact_match`. */
export function normalizedText(text: string, options: MatchOptions): string {
  let result = text;
  for (const pattern of options.ignored) result = result.replaceAll(pattern, '');
  if (options.ignoreCase) result = result.toLowerCase();
  if (options.ignorePunctuation) result = result.replaceAll(punctuation, '');
  return options.ignoreNumbers ? result.replaceAll(/[0-9]/g, '') : result;
}
