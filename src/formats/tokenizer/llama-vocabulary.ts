import { PithError } from '../../util/errors.ts';
import { meta } from '../gguf/metadata.ts';
import { mergeScores } from './merge-scores.ts';
import type { SentencePieceModel } from './sentencepiece.ts';
import { readSpaceRules } from './spaces.ts';
import { TokenTable, tokenTypes, type TokenRow } from './token-table.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import type { BpeModel } from './tokenizer-model.ts';
import {
  placeAddedTokens,
  vocabularySize,
  type Vocabulary,
  type VocabularySource,
} from './vocabulary.ts';

/** What convert_hf_to_gguf.py gives to rows that no token fills. */
const paddingScore = -10_000;

/**
 * Builds llama.cpp's `llama` vocabulary (SentencePiece BPE) from a `tokenizer.model`.
 *
 * @throws {@link PithError} `unsupported` when byte tokens are missing: llama.cpp ends the process on
 *   the first character outside such a vocabulary.
 * @see convert_hf_to_gguf.py of llama.cpp v0.5.0; unlike it, user-defined pieces keep their type, so
 *   that they are found whole.
 */
export function llamaVocabulary(source: VocabularySource, model: SentencePieceModel): Vocabulary {
  const table = new TokenTable(vocabularySize(source, model.pieces.keys()), paddingScore);
  fillFromPieces(table, model);
  placeAddedTokens(table, source);
  requireBytes(table);
  const notes: string[] = [];
  if (model.precompiledCharsmap.length > 0)
    notes.push('llama.cpp does not apply the normalization rules of this tokenizer.model.');
  if (model.removeExtraWhitespaces)
    notes.push('llama.cpp keeps runs of spaces, which this tokenizer.model makes one.');
  return {
    model: 'llama',
    pre: 'default',
    rows: table.finish(),
    idOf: (name) => table.idOf(name),
    hasScores: true,
    merges: undefined,
    options: [
      ['add_space_prefix', meta.bool(source.settings.addPrefixSpace ?? model.addDummyPrefix)],
    ],
    notes: [...table.notes, ...notes],
  };
}

/** Puts SentencePiece's pieces into a table; its piece types are llama.cpp's token types. */
export function fillFromPieces(table: TokenTable, model: SentencePieceModel): void {
  model.pieces.forEach(({ piece, score, type }, id) => {
    const text = type === tokenTypes.userDefined ? piece.replaceAll('▁', ' ') : piece;
    table.add(id, { text, type, score }, piece);
  });
}

/**
 * Builds a vocabulary from an SPM-style BPE in tokenizer.json (Llama 2, TinyLlama, Mistral, gemma).
 *
 * The merges become scores of a `llama` vocabulary. Where scores cannot say what the merges do, and
 * no space goes before the text, the merges themselves are written as llama.cpp's `gemma4` kind.
 */
export function llamaVocabularyFromMerges(
  source: VocabularySource,
  tokenizer: TokenizerJson,
  model: BpeModel,
): Vocabulary {
  const rules = readSpaceRules(tokenizer);
  const addPrefix = source.settings.addPrefixSpace ?? rules.addPrefix;
  const table = new TokenTable(vocabularySize(source, model.vocabulary.values()), paddingScore);
  const { scores, conflict } = mergeScores(model, specialNames(source, model));
  const added = new Set(tokenizer.addedTokens.map(({ id }) => id));
  for (const [token, id] of model.vocabulary) {
    // Gemma 3 lists a token for images, for which its text models have no row: noted and left out below.
    if (id >= table.size && added.has(id)) continue;
    table.add(id, rowOf(token, scores.get(token)!, model));
  }
  placeAddedTokens(table, source);
  requireBytes(table);
  const notes = [...table.notes, ...rules.notes];
  if (conflict && addPrefix)
    notes.push(`llama.cpp may cut some words elsewhere than these merges do: ${conflict}.`);
  const shared = { rows: table.finish(), idOf: (name: string) => table.idOf(name), notes };
  const options = [['add_space_prefix', meta.bool(addPrefix)]] as const;
  if (conflict && !addPrefix)
    return {
      ...shared,
      model: 'gemma4',
      pre: undefined,
      hasScores: false,
      merges: model.merges,
      options,
    };
  return { ...shared, model: 'llama', pre: 'default', hasScores: true, merges: undefined, options };
}

function specialNames(source: VocabularySource, model: BpeModel): Set<string> {
  const names = new Set((source.tokenizer?.addedTokens ?? []).map(({ content }) => content));
  for (const { content } of source.settings.declared.values()) names.add(content);
  if (model.unknownToken !== undefined) names.add(model.unknownToken);
  return names;
}

function rowOf(token: string, score: number, model: BpeModel): TokenRow {
  if (token === model.unknownToken) return { text: token, type: tokenTypes.unknown, score: 0 };
  if (/^<0x[0-9A-Fa-f]{2}>$/.test(token)) return { text: token, type: tokenTypes.byte, score: 0 };
  return { text: token, type: tokenTypes.normal, score };
}

function requireBytes(table: TokenTable): void {
  for (let byte = 0; byte < 256; byte++) {
    const hex = byte.toString(16).toUpperCase().padStart(2, '0');
    const known =
      table.idOf(`<0x${hex}>`) ?? (byte < 128 ? table.idOf(String.fromCharCode(byte)) : undefined);
    if (known === undefined)
      throw new PithError(
        'unsupported',
        `The vocabulary has no token for the byte 0x${hex}: llama.cpp stops at the first text that needs it.`,
        'Convert a model whose tokenizer has byte tokens (byte_fallback).',
      );
  }
}
