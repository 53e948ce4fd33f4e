import { Tokenizer } from '@huggingface/tokenizers';
import { readJson, type TokenizerFiles } from '../formats/tokenizer/files.ts';
import { parseTokenizerJson } from '../formats/tokenizer/tokenizer-json.ts';
import { PithError } from '../util/errors.ts';

/** Text to token ids and back, as the model's own tokenizer does it. */
export interface TextTokenizer {
  /** Ids of a text; `addSpecialTokens` (default false) puts bos and eos around it. */
  encode(text: string, options?: { addSpecialTokens?: boolean }): number[];
  /** The text of ids; `skipSpecialTokens` (default false) leaves control tokens out. */
  decode(ids: readonly number[], options?: { skipSpecialTokens?: boolean }): string;
}

/**
 * Loads the tokenizer of a Hugging Face folder from its tokenizer.json.
 *
 * @throws {@link PithError} `not-found` without tokenizer.json; `corrupt` or `unsupported` when it
 *   cannot be used. `decode` throws `not-found` for an id outside the vocabulary.
 * @remarks The work is done by `@huggingface/tokenizers` 0.2.0, which runs the file's regexes in the
 *   JavaScript engine: load untrusted files only after `ggufVocabulary` has accepted them. Ids
 *   checked against `tokenizers` 0.23.3: test/golden/tokenizer.
 */
export function loadTokenizer(files: TokenizerFiles): TextTokenizer {
  const json = readJson(files, 'tokenizer.json');
  if (json === undefined)
    throw new PithError(
      'not-found',
      'The folder has no tokenizer.json, so its text cannot be cut into tokens here.',
      'Save the tokenizer with transformers, which writes tokenizer.json.',
    );
  parseTokenizerJson(json);
  const config = readJson(files, 'tokenizer_config.json') ?? {};
  const tokenizer = build(json as TokenizerFile, config);
  return {
    encode: (text, options) =>
      tokenizer.encode(text, { add_special_tokens: options?.addSpecialTokens ?? false }).ids,
    decode(ids, options) {
      if (ids.length === 0) return '';
      for (const id of ids) requireToken(tokenizer, id);
      return tokenizer.decode([...ids], {
        skip_special_tokens: options?.skipSpecialTokens ?? false,
        clean_up_tokenization_spaces: false,
      });
    },
  };
}

function build(json: TokenizerFile, config: object): Tokenizer {
  try {
    return new Tokenizer(completed(json), config);
  } catch (cause) {
    throw new PithError(
      'unsupported',
      `@huggingface/tokenizers cannot load tokenizer.json: ${(cause as Error).message}.`,
      'Report the model; its text can still be read through llama.cpp.',
      { cause },
    );
  }
}

interface TokenizerFile {
  readonly pre_tokenizer?: unknown;
}

/**
 * Adds the sections that a file may lack but the library asks for, and says Digits as a Split:
 * @huggingface/tokenizers 0.2.0 takes only 0 to 9 for digits, where `tokenizers` takes every number
 * of Unicode (½, ٣), which changes ids for smollm and starcoder.
 */
function completed(file: TokenizerFile): object {
  return {
    added_tokens: [],
    normalizer: null,
    post_processor: null,
    decoder: null,
    ...file,
    pre_tokenizer: digitsAsSplit(file.pre_tokenizer ?? null),
  };
}

function digitsAsSplit(component: unknown): unknown {
  if (typeof component !== 'object' || component === null) return component;
  const { type, pretokenizers, individual_digits } = component as Record<string, unknown>;
  if (Array.isArray(pretokenizers))
    return { ...component, pretokenizers: pretokenizers.map(digitsAsSplit) };
  if (type !== 'Digits') return component;
  const regex = individual_digits ? '\\p{N}' : '\\p{N}+';
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
}

function requireToken(tokenizer: Tokenizer, id: number): void {
  if (tokenizer.id_to_token(id) !== undefined) return;
  throw new PithError(
    'not-found',
    `The tokenizer has no token ${id}.`,
    'Check where the ids come from.',
  );
}
