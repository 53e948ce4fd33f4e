import { PithError } from '../../util/errors.ts';
import { recognizePreTokenizer } from './pre-tokenizer/recognize.ts';
import { TokenTable, tokenTypes } from './token-table.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import type { BpeModel, Merge } from './tokenizer-model.ts';
import {
  placeAddedTokens,
  vocabularySize,
  type Vocabulary,
  type VocabularySource,
} from './vocabulary.ts';

/** True for BPE over the 256-letter byte alphabet of GPT-2. */
export function isByteLevel(tokenizer: TokenizerJson): boolean {
  const { model, preTokenizers, decoders } = tokenizer;
  return (
    model.type === 'BPE' &&
    [...preTokenizers, ...decoders].some((component) => component.type === 'ByteLevel')
  );
}

/**
 * Builds llama.cpp's `gpt2` vocabulary from byte-level BPE.
 *
 * @throws {@link PithError} `unsupported` for a pre-tokenizer, normalizer or option that llama.cpp
 *   has no counterpart of; `corrupt` for tokens that contradict each other.
 * @see convert_hf_to_gguf.py of llama.cpp v0.5.0; unlike it, the pre-tokenizer is recognised by
 *   what it does, and added tokens past `vocab_size` are left out with a note.
 */
export function gpt2Vocabulary(
  source: VocabularySource,
  tokenizer: TokenizerJson,
  model: BpeModel,
): Vocabulary {
  const table = new TokenTable(vocabularySize(source, model.vocabulary.values()), 0);
  if (model.inexpressible.length > 0)
    throw new PithError(
      'unsupported',
      `tokenizer.json: the BPE model sets ${model.inexpressible.join(', ')}, which llama.cpp ignores.`,
      'Convert a model with another tokenizer.',
    );
  for (const [token, id] of model.vocabulary)
    table.add(id, { text: token, type: tokenTypes.normal, score: 0 });
  placeAddedTokens(table, source);
  const pre = recognizePreTokenizer(tokenizer, source.settings.cleansSpaces);
  const notes = [...pre.notes, ...behaviourNotes(tokenizer, model)];
  return {
    model: 'gpt2',
    pre: pre.name,
    rows: table.finish(),
    idOf: (name) => table.idOf(name),
    hasScores: false,
    merges: model.merges.map(withoutSpaces),
    options: [],
    notes: [...table.notes, ...notes],
  };
}

/** A merge is written as one string with a space between, so a space inside becomes its byte letter. */
function withoutSpaces([left, right]: Merge): Merge {
  return [left.replaceAll(' ', 'Ġ'), right.replaceAll(' ', 'Ġ')];
}

const unicodeForms = new Set(['NFC', 'NFD', 'NFKC', 'NFKD']);

function behaviourNotes(tokenizer: TokenizerJson, model: BpeModel): string[] {
  const notes: string[] = [];
  for (const { type } of tokenizer.normalizers) {
    if (!unicodeForms.has(type))
      throw new PithError(
        'unsupported',
        `tokenizer.json: llama.cpp has no "${type.slice(0, 40)}" normalizer for byte-level BPE.`,
        'Convert a model with another tokenizer.',
      );
    notes.push(
      `llama.cpp does not normalize text to ${type}: text that is not in that form gets other ids.`,
    );
  }
  const bytes = tokenizer.preTokenizers.find((component) => component.type === 'ByteLevel');
  if (bytes && bytes['add_prefix_space'] !== false)
    notes.push('llama.cpp does not put a space before the first word, as add_prefix_space asks.');
  const missing = byteAlphabet().filter(
    (letter, byte) => occursInUtf8(byte) && !model.vocabulary.has(letter),
  );
  if (missing.length > 0)
    notes.push(
      `The vocabulary lacks ${missing.length} of the bytes that text can hold (first ${JSON.stringify(missing[0])}): llama.cpp drops them.`,
    );
  return notes;
}

const occursInUtf8 = (byte: number) => byte < 0xc0 || (byte > 0xc1 && byte < 0xf5);

/** GPT-2's letter for every byte: itself if printable in Latin-1, else one from U+0100 on. */
export function byteAlphabet(): string[] {
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(printable ? byte : 256 + hidden++);
  });
}
