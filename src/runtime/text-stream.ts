const replacement = '\uFFFD';
const longestSplitTokens = 4;
const historyTokens = 8;

/**
 * Turns tokens into text as they come, holding back a token whose bytes end inside a UTF-8 sequence
 * until the rest has come.
 *
 * At most four tokens are held back, the length of the longest sequence: bytes that are not UTF-8 at
 * all then show as U+FFFD, as they do in `detokenize` of the whole.
 */
export class TextStream {
  readonly #detokenize: (tokens: readonly number[], previous: readonly number[]) => string;
  #previous: readonly number[];
  #held: number[] = [];

  /**
   * @param detokenize - Text of tokens that follow `previous`.
   * @param prompt - What the text continues: after it, SentencePiece's first token keeps its space.
   */
  constructor(
    detokenize: (tokens: readonly number[], previous: readonly number[]) => string,
    prompt: readonly number[] = [],
  ) {
    this.#detokenize = detokenize;
    this.#previous = prompt.slice(-historyTokens);
  }

  /** The text that this token completes; empty while a character is incomplete. */
  push(token: number): string {
    this.#held.push(token);
    const text = this.#detokenize(this.#held, this.#previous);
    if (text.endsWith(replacement) && this.#held.length < longestSplitTokens) return '';
    return this.#release(text);
  }

  /** What was held back, at the end of the answer. */
  flush(): string {
    return this.#held.length === 0
      ? ''
      : this.#release(this.#detokenize(this.#held, this.#previous));
  }

  #release(text: string): string {
    this.#previous = [...this.#previous, ...this.#held].slice(-historyTokens);
    this.#held = [];
    return text;
  }
}
