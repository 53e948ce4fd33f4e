import { PithError } from '../util/errors.ts';

/** How tokens are joined and cut. */
export interface TokenWindowOptions {
  /** Tokens of a window. */
  readonly length: number;
  /** Stands at the beginning of each document and each window, where the model was trained so. */
  readonly bos: number | undefined;
  /** Stands between documents of models without `bos`. */
  readonly separator: number | undefined;
  /** Take no more tokens than this. */
  readonly maxTokens?: number | undefined;
}

/**
 * Joins the tokens of documents and cuts them into full windows; the rest is left out. Windows may hold the end of one
 * document and the beginning of the next.
 *
 * @throws PithError `unsupported` when there is no full window, with the numbers.
 * @see llama-imatrix, which cuts one text alike: a window's first token gives way to `bos`.
 */
export function joinTokens(
  documents: Iterable<readonly number[]>,
  { length, bos, separator, maxTokens = Infinity }: TokenWindowOptions,
): Int32Array[] {
  const tokens: number[] = [];
  for (const document of documents) {
    const between = bos ?? (tokens.length > 0 ? separator : undefined);
    if (between !== undefined && document[0] !== between) tokens.push(between);
    for (const token of document) tokens.push(token);
    if (tokens.length >= maxTokens) break;
  }
  const usable = Math.min(tokens.length, maxTokens);
  if (usable < length)
    throw new PithError(
      'unsupported',
      `There are ${usable} tokens to calibrate on, fewer than one window of ${length}.`,
      tokens.length < length
        ? 'Give more text (--data), or shorter windows (--context).'
        : `Use --tokens ${length} or more, or shorter windows (--context).`,
    );
  return Array.from({ length: Math.floor(usable / length) }, (_, at) => {
    const window = Int32Array.from(tokens.slice(at * length, (at + 1) * length));
    if (bos !== undefined) window[0] = bos;
    return window;
  });
}
