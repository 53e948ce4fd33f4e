import { PithError } from '../../util/errors.ts';
import { meta, type Metadata, type MetadataValue } from '../gguf/metadata.ts';
import { bertVocabulary } from './bert-vocabulary.ts';
import { readChatTemplates, type ChatTemplates } from './chat-templates.ts';
import { readJson, type TokenizerFiles } from './files.ts';
import { gpt2Vocabulary, isByteLevel } from './gpt2-vocabulary.ts';
import { llamaVocabulary, llamaVocabularyFromMerges } from './llama-vocabulary.ts';
import { parseSentencePiece, type SentencePieceModel } from './sentencepiece.ts';
import { readSettings, roles, type Role } from './settings.ts';
import { findSpecialTokens, type SpecialTokens } from './special-tokens.ts';
import { parseTokenizerJson, type TokenizerJson } from './tokenizer-json.ts';
import { unigramVocabulary, unigramVocabularyFromJson } from './unigram-vocabulary.ts';
import { tokenTypes } from './token-table.ts';
import type { Vocabulary, VocabularySource } from './vocabulary.ts';

/** The tokenizer keys of a GGUF file, in file order. */
export interface GgufVocabulary {
  readonly metadata: Metadata;
  /** Number of tokens, `[PADn]` included. */
  readonly size: number;
  /** Where llama.cpp's ids may differ from the source tokenizer's, and what was assumed. */
  readonly notes: readonly string[];
}

/** ggml's spelling of the id keys. */
const idKeys: Record<Role | 'eot', string> = {
  bos: 'bos_token_id',
  eos: 'eos_token_id',
  unk: 'unknown_token_id',
  sep: 'seperator_token_id',
  pad: 'padding_token_id',
  cls: 'cls_token_id',
  mask: 'mask_token_id',
  eot: 'eot_token_id',
};

/**
 * Turns the tokenizer files of a Hugging Face folder into the keys that llama.cpp reads.
 *
 * @param files - Whatever exists of {@link tokenizerFileNames}.
 * @throws {@link PithError} `not-found` without a tokenizer; `corrupt` for files that contradict
 *   themselves or each other; `unsupported` for a tokenizer that llama.cpp cannot run as it is.
 * @see convert_hf_to_gguf.py and gguf-py/gguf/vocab.py of llama.cpp v0.5.0.
 * @remarks llama.cpp's ids were compared with those of `tokenizers` 0.23.3 and `sentencepiece`
 *   0.2.3: test/peer/tokenizer-llama-cpp.test.ts.
 */
export function ggufVocabulary(files: TokenizerFiles): GgufVocabulary {
  const { source, vocabulary } = buildVocabulary(files);
  const special = findSpecialTokens(source, vocabulary);
  const templates = readChatTemplates(files);
  return {
    metadata: new Map([
      ...vocabularyEntries(vocabulary),
      ...specialEntries(special),
      ...templateEntries(templates),
    ]),
    size: vocabulary.rows.length,
    notes: [...vocabulary.notes, ...paddingNotes(vocabulary), ...special.notes, ...templates.notes],
  };
}

function buildVocabulary(files: TokenizerFiles): {
  source: VocabularySource;
  vocabulary: Vocabulary;
} {
  const settings = readSettings(files);
  const json = readJson(files, 'tokenizer.json');
  const tokenizer = json === undefined ? undefined : parseTokenizerJson(json);
  const model = tokenizer?.model;
  if (tokenizer && (model?.type === 'WordPiece' || isByteLevel(tokenizer))) {
    const source = { tokenizer, sentencePiece: undefined, settings };
    return { source, vocabulary: fromJson(source, tokenizer) };
  }
  const sentencePiece = readSentencePiece(files);
  const source = { tokenizer, sentencePiece, settings };
  if (sentencePiece) {
    const build = sentencePiece.algorithm === 'bpe' ? llamaVocabulary : unigramVocabulary;
    return { source, vocabulary: build(source, sentencePiece) };
  }
  if (tokenizer) return { source, vocabulary: fromJson(source, tokenizer) };
  throw new PithError(
    'not-found',
    'The folder has neither tokenizer.json nor tokenizer.model.',
    'Download the tokenizer files of the model beside its weights.',
  );
}

function readSentencePiece(files: TokenizerFiles): SentencePieceModel | undefined {
  const bytes =
    files.get('tokenizer.model') ??
    files.get('spiece.model') ??
    files.get('sentencepiece.bpe.model');
  return bytes && parseSentencePiece(bytes);
}

function fromJson(source: VocabularySource, tokenizer: TokenizerJson): Vocabulary {
  const { model } = tokenizer;
  if (model.type === 'WordPiece') return bertVocabulary(source, tokenizer, model);
  if (model.type === 'Unigram') return unigramVocabularyFromJson(source, tokenizer, model);
  if (isByteLevel(tokenizer)) return gpt2Vocabulary(source, tokenizer, model);
  return llamaVocabularyFromMerges(source, tokenizer, model);
}

/** A few rows pad a matrix to a round size; many mean that the tokenizer is another model's. */
function paddingNotes({ rows }: Vocabulary): string[] {
  const padded = rows.filter(
    ({ type, text }) => type === tokenTypes.unused && /^\[PAD\d+\]_*$/.test(text),
  );
  if (padded.length === 0) return [];
  return [`${padded.length} of the model's ${rows.length} rows have no token in the tokenizer.`];
}

type Entry = readonly [key: string, value: MetadataValue];

function vocabularyEntries(vocabulary: Vocabulary): Entry[] {
  const { model, pre, rows, merges, hasScores, options } = vocabulary;
  const entries: Entry[] = [['model', meta.string(model)]];
  if (pre !== undefined) entries.push(['pre', meta.string(pre)]);
  entries.push(['tokens', meta.strings(rows.map((row) => row.text))]);
  if (hasScores) entries.push(['scores', meta.float32s(rows.map((row) => row.score))]);
  entries.push(['token_type', meta.int32s(rows.map((row) => row.type))]);
  if (merges)
    entries.push(['merges', meta.strings(merges.map(([left, right]) => `${left} ${right}`))]);
  return [...entries, ...options].map(([key, value]) => [`tokenizer.ggml.${key}`, value]);
}

function specialEntries({ ids, addBos, addEos }: SpecialTokens): Entry[] {
  const entries: Entry[] = [];
  for (const role of [...roles, 'eot' as const]) {
    const id = ids.get(role);
    if (id !== undefined) entries.push([`tokenizer.ggml.${idKeys[role]}`, meta.uint32(id)]);
  }
  if (addBos !== undefined) entries.push(['tokenizer.ggml.add_bos_token', meta.bool(addBos)]);
  if (addEos !== undefined) entries.push(['tokenizer.ggml.add_eos_token', meta.bool(addEos)]);
  return entries;
}

/** `tokenizer.chat_template`, then one key a named template, then the list of their names. */
function templateEntries({ byName }: ChatTemplates): Entry[] {
  const entries: Entry[] = [];
  const names: string[] = [];
  for (const [name, template] of byName) {
    const safe = name.replaceAll(/[^A-Za-z0-9]/g, '_');
    if (name === 'default') entries.unshift(['tokenizer.chat_template', meta.string(template)]);
    else if (safe) {
      names.push(safe);
      entries.push([`tokenizer.chat_template.${safe}`, meta.string(template)]);
    }
  }
  if (names.length > 0) entries.push(['tokenizer.chat_templates', meta.strings(names)]);
  return entries;
}
