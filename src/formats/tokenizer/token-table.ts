import { PithError } from '../../util/errors.ts';

/** llama.cpp's `tokenizer.ggml.token_type` numbers, which are SentencePiece's. */
export const tokenTypes = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** One row of a vocabulary. */
export interface TokenRow {
  readonly text: string;
  readonly type: number;
  readonly score: number;
}

/** More ids than any published model has (2^18), yet an array of them stays small. */
const maxVocabulary = 2 ** 22;

/**
 * A vocabulary under construction: rows by id, none twice, none out of range.
 *
 * llama.cpp aborts the process when two ids have the same text, so that is refused here.
 */
export class TokenTable {
  /** Facts that a user should know about the rows. */
  readonly notes: string[] = [];
  private readonly rows: (TokenRow | undefined)[];
  private readonly names: (string | undefined)[] = [];
  private readonly paddingScore: number;
  private readonly ids = new Map<string, number>();

  /** @param size - `vocab_size`; rows that nobody fills become unused `[PAD<id>]` tokens. */
  constructor(size: number, paddingScore: number) {
    if (!Number.isInteger(size) || size < 1 || size > maxVocabulary)
      throw new PithError(
        'unsupported',
        `A vocabulary of ${size} tokens (1 to ${maxVocabulary} are possible).`,
        'Check vocab_size in config.json and the token ids in tokenizer.json.',
      );
    this.rows = Array.from({ length: size });
    this.paddingScore = paddingScore;
  }

  get size(): number {
    return this.rows.length;
  }

  /** The row of an id, if filled. */
  at(id: number): TokenRow | undefined {
    return this.rows[id];
  }

  /** The id of a token by the name that its own files give it. */
  idOf(name: string): number | undefined {
    return this.ids.get(name);
  }

  /**
   * Fills one row of the model's own vocabulary.
   *
   * @param name - The token in the source files, where it differs from the text in the GGUF file.
   * @throws {@link PithError} `corrupt` when the id is taken or outside the vocabulary.
   */
  add(id: number, row: TokenRow, name: string = row.text): void {
    if (!Number.isInteger(id) || id < 0 || id >= this.size)
      throw this.wrong(name, `has the id ${id}, but vocab_size is ${this.size}`);
    const other = this.rows[id];
    if (other) throw this.wrong(name, `has the id ${id} of ${quote(other.text)}`);
    this.place(id, row, name);
  }

  /** Fills or replaces the row of an added token; one outside the vocabulary is noted and left out. */
  addOrReplace(id: number, row: TokenRow, name: string): void {
    if (Number.isInteger(id) && id >= this.size) {
      this.notes.push(
        `The added token ${quote(name)} has the id ${id}, but the model has ${this.size} rows: left out.`,
      );
      return;
    }
    if (!Number.isInteger(id) || id < 0) throw this.wrong(name, `has the id ${id}`);
    const taken = this.ids.get(name);
    if (taken !== undefined && taken !== id)
      throw this.wrong(name, `has two ids, ${taken} and ${id}`);
    this.place(id, row, name);
  }

  private place(id: number, row: TokenRow, name: string): void {
    if (/\p{Surrogate}/u.test(row.text)) throw this.wrong(name, 'holds half a surrogate pair');
    const replaced = this.names[id];
    if (replaced !== undefined) this.ids.delete(replaced);
    this.rows[id] = row;
    this.names[id] = name;
    this.ids.set(name, id);
  }

  private wrong(name: string, what: string): PithError {
    return new PithError(
      'corrupt',
      `The token ${quote(name)} ${what}.`,
      'Check tokenizer.json, tokenizer_config.json and config.json, or download them again.',
    );
  }

  /** All rows, padded. */
  finish(): TokenRow[] {
    const texts = new Map<string, number>();
    this.rows.forEach((row, id) => {
      if (!row) return;
      const other = texts.get(row.text);
      if (other !== undefined)
        throw this.wrong(row.text, `has two ids, ${other} and ${id}, in the form llama.cpp reads`);
      texts.set(row.text, id);
    });
    return Array.from(this.rows, (row, id) => row ?? this.padding(id, texts));
  }

  private padding(id: number, texts: ReadonlyMap<string, number>): TokenRow {
    let text = `[PAD${id}]`;
    while (texts.has(text)) text = `${text}_`;
    return { text, type: tokenTypes.unused, score: this.paddingScore };
  }
}

const quote = (text: string) => JSON.stringify(text.slice(0, 60));
