import { PithError } from '../../util/errors.ts';
import type { MetadataValue } from '../gguf/metadata.ts';
import type { SentencePieceModel } from './sentencepiece.ts';
import type { TokenizerSettings } from './settings.ts';
import { tokenTypes, type TokenRow, type TokenTable } from './token-table.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import type { Merge } from './tokenizer-model.ts';

/** The parsed files that a vocabulary is built from. */
export interface VocabularySource {
  readonly tokenizer: TokenizerJson | undefined;
  readonly sentencePiece: SentencePieceModel | undefined;
  readonly settings: TokenizerSettings;
}

/** A vocabulary in the form that llama.cpp reads, before its special tokens are named. */
export interface Vocabulary {
  /** `tokenizer.ggml.model`. */
  readonly model: 'gpt2' | 'llama' | 'bert' | 't5' | 'gemma4';
  /** `tokenizer.ggml.pre`; `gemma4` implies its own. */
  readonly pre: string | undefined;
  readonly rows: readonly TokenRow[];
  /** The id of a token by its name in the source files. */
  readonly idOf: (name: string) => number | undefined;
  /** Whether scores decide anything, hence are written. */
  readonly hasScores: boolean;
  readonly merges: readonly Merge[] | undefined;
  /** Further keys of this kind of model, under `tokenizer.ggml.`. */
  readonly options: readonly (readonly [key: string, value: MetadataValue])[];
  readonly notes: readonly string[];
}

/** An added token of any of the files. */
interface PlacedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

const addedScore = -1000;

/**
 * The size of the vocabulary: `vocab_size` of config.json, else one more than the highest id.
 *
 * @param ids - Of the model's own tokens.
 */
export function vocabularySize(source: VocabularySource, ids: Iterable<number>): number {
  if (source.settings.vocabSize !== undefined) return source.settings.vocabSize;
  let highest = -1;
  for (const id of ids) highest = Math.max(highest, id);
  for (const { id } of source.tokenizer?.addedTokens ?? []) highest = Math.max(highest, id);
  for (const id of source.settings.declared.keys()) highest = Math.max(highest, id);
  return highest + 1;
}

/** Puts the added tokens of all files into a table that holds the model's own tokens. */
export function placeAddedTokens(table: TokenTable, source: VocabularySource): void {
  const { unknown, control, userDefined } = tokenTypes;
  for (const { id, content, special } of addedTokens(table, source)) {
    const present = table.at(id);
    const isControl = special || looksSpecial(content);
    if (present && table.idOf(content) !== id)
      table.notes.push(
        `The added token ${JSON.stringify(content)} replaces ${JSON.stringify(present.text)} (id ${id}).`,
      );
    if (present?.type === unknown) continue;
    const text = isControl ? content : content.replaceAll('▁', ' ');
    const type = isControl ? control : userDefined;
    table.addOrReplace(id, { text, type, score: present?.score ?? addedScore }, content);
  }
}

/** tokenizer.json leads; the other files add tokens and, as in transformers, decide `special`. */
function addedTokens(table: TokenTable, source: VocabularySource): PlacedToken[] {
  const tokens = ownAddedTokens(source);
  const idOf = new Map([...tokens.values()].map(({ id, content }) => [content, id]));
  for (const [id, { content, special }] of source.settings.declared) {
    const present = tokens.get(id)?.content ?? content;
    const elsewhere = idOf.get(content) ?? table.idOf(content) ?? id;
    if (present !== content || elsewhere !== id)
      table.notes.push(
        `tokenizer_config.json gives id ${id} to ${JSON.stringify(content)}, which disagrees with the tokenizer: ignored.`,
      );
    else tokens.set(id, { id, content, special });
  }
  return [...tokens.values()];
}

/** The added tokens of tokenizer.json by id; none has two ids, no id two of them. */
function ownAddedTokens({ tokenizer }: VocabularySource): Map<number, PlacedToken> {
  const tokens = new Map<number, PlacedToken>();
  const idOf = new Map<string, number>();
  for (const { id, content, special } of tokenizer?.addedTokens ?? []) {
    const other = tokens.get(id)?.content ?? content;
    if (other !== content || (idOf.get(content) ?? id) !== id)
      throw new PithError(
        'corrupt',
        `tokenizer.json: the added token ${JSON.stringify(content.slice(0, 60))} clashes with another one (id ${id}).`,
        'Download tokenizer.json again.',
      );
    tokens.set(id, { id, content, special });
    idOf.set(content, id);
  }
  return tokens;
}

const specialNames = new Set(['<pad>', '<mask>', '<2mass>', '[@BOS@]']);
const specialShape = /^(?:<\|[^]*\|>|<｜[^]*｜>|<unused[^]*>)$/;

/** Some models leave `special` unset on tokens that must never come from text (deepseek, gemma). */
function looksSpecial(token: string): boolean {
  return specialNames.has(token) || specialShape.test(token);
}
