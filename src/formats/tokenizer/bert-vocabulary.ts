import { PithError } from '../../util/errors.ts';
import { meta, type MetadataValue } from '../gguf/metadata.ts';
import { TokenTable, tokenTypes } from './token-table.ts';
import type { Component, TokenizerJson } from './tokenizer-json.ts';
import type { WordPieceModel } from './tokenizer-model.ts';
import {
  placeAddedTokens,
  vocabularySize,
  type Vocabulary,
  type VocabularySource,
} from './vocabulary.ts';

const characterNote =
  'llama.cpp keeps format characters (zero-width space, byte order mark) and, where accents are ' +
  'stripped, strips spacing marks too and leaves Hangul syllables whole: such text gets other ids';

/**
 * Builds llama.cpp's `bert` vocabulary from WordPiece: a token that begins a word gets "▁" before
 * it, one that continues a word loses its "##".
 *
 * @throws {@link PithError} `unsupported` for normalizers and pre-tokenizers other than BERT's.
 * @see conversion/bert.py of llama.cpp v0.5.0.
 */
export function bertVocabulary(
  source: VocabularySource,
  tokenizer: TokenizerJson,
  model: WordPieceModel,
): Vocabulary {
  const other = tokenizer.preTokenizers.find(({ type }) => type !== 'BertPreTokenizer');
  if (other) throw unsupported(other);
  const table = new TokenTable(vocabularySize(source, model.vocabulary.values()), 0);
  const prefix = model.continuationPrefix;
  for (const [token, id] of model.vocabulary) {
    const text = token.startsWith(prefix) ? token.slice(prefix.length) : `▁${token}`;
    table.add(id, { text, type: tokenTypes.normal, score: 0 }, token);
  }
  placeAddedTokens(table, source);
  const notes = [...table.notes, characterNote];
  const options = normalizerKeys(tokenizer.normalizers, notes);
  return {
    model: 'bert',
    pre: 'default',
    rows: table.finish(),
    idOf: (name) => table.idOf(name),
    hasScores: false,
    merges: undefined,
    options,
    notes,
  };
}

/** Both keys are always written: without them llama.cpp lowercases and strips accents. */
function normalizerKeys(
  components: readonly Component[],
  notes: string[],
): [string, MetadataValue][] {
  let lowercase = false;
  let stripAccents: boolean | undefined;
  for (const component of components) {
    if (component.type === 'Lowercase') lowercase = true;
    else if (component.type === 'StripAccents') stripAccents = true;
    else if (component.type === 'BertNormalizer') {
      lowercase = component['lowercase'] !== false;
      if (typeof component['strip_accents'] === 'boolean')
        stripAccents = component['strip_accents'];
      if (component['handle_chinese_chars'] === false)
        notes.push('llama.cpp cuts around every Chinese character, which this tokenizer does not.');
    } else if (component.type !== 'NFD') throw unsupported(component);
  }
  return [
    ['normalizer.lowercase', meta.bool(lowercase)],
    ['normalizer.strip_accents', meta.bool(stripAccents ?? lowercase)],
  ];
}

function unsupported(component: Component): PithError {
  return new PithError(
    'unsupported',
    `tokenizer.json: llama.cpp has no counterpart of "${component.type.slice(0, 40)}" in a WordPiece tokenizer.`,
    'Convert a model with another tokenizer.',
  );
}
