import { PithError } from '../../../util/errors.ts';

const maxLength = 20_000;
const maxDepth = 40;
/** What a pattern may look at. */
const lookahead = 64;

/** What Pith does not run of a regex, as an error. */
export function unsupported(what: string): PithError {
  return new PithError(
    'unsupported',
    `The pre-tokenizer regex uses ${what}, which Pith does not run.`,
    'Report the model, so that its pre-tokenizer can be described.',
  );
}

/** The characters of a regex, read one after the other. */
export class RegexScanner {
  readonly #source: readonly string[];
  #at = 0;
  #depth = 0;

  /** @throws {@link PithError} `unsupported` for more than 20,000 characters. */
  constructor(source: string) {
    this.#source = Array.from(source);
    const { length } = this.#source;
    if (length > maxLength) throw unsupported(`${length} characters (limit ${maxLength})`);
  }

  get done(): boolean {
    return this.#at >= this.#source.length;
  }

  /** The next character but `offset`, which stays; undefined at the end. */
  peek(offset = 0): string | undefined {
    return this.#source[this.#at + offset];
  }

  next(): string {
    const character = this.#source[this.#at];
    if (character === undefined) throw this.malformed('an unexpected end');
    this.#at++;
    return character;
  }

  /** Takes `text` if it is next. */
  accept(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.peek(i) !== text[i]) return false;
    this.#at += text.length;
    return true;
  }

  /** What `pattern`, which begins with `^`, matches in the next 64 characters. */
  look(pattern: RegExp): RegExpExecArray | null {
    return pattern.exec(this.#source.slice(this.#at, this.#at + lookahead).join(''));
  }

  /** Takes what `pattern` matches. */
  take(pattern: RegExp): RegExpExecArray | null {
    const match = this.look(pattern);
    if (match) this.#at += Array.from(match[0]).length;
    return match;
  }

  /** Reads what is nested: at most 40 deep. */
  nested<T>(what: string, read: () => T): T {
    if (++this.#depth > maxDepth) throw unsupported(`${what} nested deeper than ${maxDepth}`);
    const result = read();
    this.#depth--;
    return result;
  }

  malformed(what: string): PithError {
    return new PithError(
      'corrupt',
      `The pre-tokenizer regex has ${what} at character ${this.#at}.`,
      'Check the pre_tokenizer section of tokenizer.json.',
    );
  }
}
