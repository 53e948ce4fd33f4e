import { PithError } from '../../util/errors.ts';

/**
 * The files of a Hugging Face folder that say how its model reads text, best first where several
 * say the same. Templates in `additional_chat_templates/` are read under that path too.
 */
export const tokenizerFileNames = [
  'tokenizer.json',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'config.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
] as const;

/** File name, relative to the folder, to content; absent files are absent keys. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

/** The text of a file, or undefined when the folder lacks it. */
export function readText(files: TokenizerFiles, name: string): string | undefined {
  const bytes = files.get(name);
  if (!bytes) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PithError(
      'corrupt',
      `${name} is not UTF-8 text (${bytes.length} bytes).`,
      `Download ${name} again.`,
      { cause },
    );
  }
}

/** The JSON value of a file, or undefined when the folder lacks it. */
export function readJson(files: TokenizerFiles, name: string): unknown {
  const text = readText(files, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new PithError(
      'corrupt',
      `${name} is not valid JSON (${text.length} characters): ${(cause as Error).message}.`,
      `Download ${name} again.`,
      { cause },
    );
  }
}
