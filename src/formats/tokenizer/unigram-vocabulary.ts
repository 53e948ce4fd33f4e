import { meta, type MetadataValue } from '../gguf/metadata.ts';
import { fillFromPieces } from './llama-vocabulary.ts';
import type { SentencePieceModel } from './sentencepiece.ts';
import { readSpaceRules } from './spaces.ts';
import { TokenTable, tokenTypes, type TokenRow } from './token-table.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import type { UnigramModel } from './tokenizer-model.ts';
import {
  placeAddedTokens,
  vocabularySize,
  type Vocabulary,
  type VocabularySource,
} from './vocabulary.ts';

const paddingScore = -10_000;

interface UnigramOptions {
  readonly addPrefix: boolean;
  readonly collapse: boolean;
  readonly precompiledCharsmap: Uint8Array;
  readonly byteFallback: boolean;
  readonly notes: readonly string[];
}

/**
 * Builds llama.cpp's `t5` vocabulary from a SentencePiece Unigram `tokenizer.model`.
 *
 * @see conversion/t5.py of llama.cpp v0.5.0.
 */
export function unigramVocabulary(source: VocabularySource, model: SentencePieceModel): Vocabulary {
  const table = new TokenTable(vocabularySize(source, model.pieces.keys()), paddingScore);
  fillFromPieces(table, model);
  placeAddedTokens(table, source);
  return finish(table, {
    addPrefix: model.addDummyPrefix,
    collapse: model.removeExtraWhitespaces,
    precompiledCharsmap: model.precompiledCharsmap,
    byteFallback: model.byteFallback,
    notes: [],
  });
}

/** Builds llama.cpp's `t5` vocabulary from the Unigram model of a tokenizer.json. */
export function unigramVocabularyFromJson(
  source: VocabularySource,
  tokenizer: TokenizerJson,
  model: UnigramModel,
): Vocabulary {
  const rules = readSpaceRules(tokenizer);
  const table = new TokenTable(vocabularySize(source, model.pieces.keys()), paddingScore);
  model.pieces.forEach(([piece, score], id) =>
    table.add(id, rowOf(piece, score, id === model.unknownId)),
  );
  placeAddedTokens(table, source);
  return finish(table, { ...rules, byteFallback: model.byteFallback });
}

function rowOf(text: string, score: number, isUnknown: boolean): TokenRow {
  return { text, score, type: isUnknown ? tokenTypes.unknown : tokenTypes.normal };
}

function finish(table: TokenTable, options: UnigramOptions): Vocabulary {
  const notes = [...table.notes, ...options.notes];
  if (options.byteFallback)
    notes.push(
      'llama.cpp gives the unknown token for characters outside a Unigram vocabulary, not bytes.',
    );
  const keys: [string, MetadataValue][] = [
    ['add_space_prefix', meta.bool(options.addPrefix)],
    ['remove_extra_whitespaces', meta.bool(options.collapse)],
  ];
  if (options.precompiledCharsmap.length > 0)
    keys.push([
      'precompiled_charsmap',
      { type: 'array', items: 'uint8', value: Array.from(options.precompiledCharsmap) },
    ]);
  return {
    model: 't5',
    pre: 'default',
    rows: table.finish(),
    idOf: (name) => table.idOf(name),
    hasScores: true,
    merges: undefined,
    options: keys,
    notes,
  };
}
