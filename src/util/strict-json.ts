import { PithError } from './errors.ts';

/** A parsed JSON value; objects are maps, so that no key (`__proto__`) is special. */
export type Json = null | boolean | number | string | readonly Json[] | ReadonlyMap<string, Json>;

const maxDepth = 64;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const space = /[ \t\n\r]*/y;
const literals = { null: null, true: true, false: false } as const;

/**
 * Parses JSON by RFC 8259 and, unlike `JSON.parse`, refuses an object that has a key twice: two
 * readers could disagree about which one counts.
 *
 * @param name - What to call the text in messages.
 * @throws {@link PithError} `corrupt` with the position; also when nested deeper than 64.
 */
export function parseStrictJson(text: string, name: string): Json {
  const parser = new Parser(text, name);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  readonly #name: string;
  #at = 0;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  value(depth: number): Json {
    if (depth > maxDepth) throw this.#wrong(`is nested deeper than ${maxDepth}`);
    this.#match(space);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#match(space);
    if (this.#at < this.#text.length) throw this.#wrong('goes on after its end');
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    const entries = new Map<string, Json>();
    this.#list('}', () => {
      if (this.#text[this.#at] !== '"') throw this.#wrong('lacks a key');
      const key = this.#string();
      if (entries.has(key)) throw this.#wrong(`has the key ${JSON.stringify(key)} twice`);
      if (!this.#take(':')) throw this.#wrong('lacks a ":"');
      entries.set(key, this.value(depth + 1));
    });
    return entries;
  }

  #array(depth: number): Json[] {
    const values: Json[] = [];
    this.#list(']', () => values.push(this.value(depth + 1)));
    return values;
  }

  /** Runs `item` for each item between the bracket at hand and `close`. */
  #list(close: string, item: () => void): void {
    this.#at++;
    if (this.#take(close)) return;
    do {
      this.#match(space);
      item();
    } while (this.#take(','));
    if (!this.#take(close)) throw this.#wrong(`lacks a "${close}"`);
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end > 0 && this.#isEscaped(end, start)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw this.#wrong('ends inside a string');
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      throw this.#wrong('has a bad character or escape in a string');
    }
  }

  #isEscaped(quote: number, start: number): boolean {
    let backslashes = 0;
    while (quote - backslashes - 1 > start && this.#text[quote - backslashes - 1] === '\\') {
      backslashes++;
    }
    return backslashes % 2 === 1;
  }

  #scalar(): Json {
    const digits = this.#match(number);
    if (digits !== '') return Number(digits);
    for (const [word, value] of Object.entries(literals)) {
      if (this.#take(word)) return value;
    }
    throw this.#wrong('lacks a value');
  }

  /** Consumes `token` after white space, if it is next. */
  #take(token: string): boolean {
    this.#match(space);
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #wrong(problem: string): PithError {
    return new PithError(
      'corrupt',
      `${this.#name}: the JSON ${problem} at character ${this.#at}.`,
      'The file is damaged or was written by a faulty program: get it again from its source.',
    );
  }
}
