import { loadTokenizer } from '../../data/tokenizer.ts';
import { openingToken } from '../../evaluate/vocabulary.ts';
import type { EvaluationTokenizer } from '../../evaluate/windows.ts';
import { readFolderFiles } from '../../models/folder-files.ts';
import type { Model } from '../../models/model.ts';
import { locateModel } from '../../models/open.ts';

/** A tokenizer that may hold an engine. */
export interface OpenTokenizer extends EvaluationTokenizer {
  close(): Promise<void>;
}

/**
 * The tokenizer of the first reference that has one which runs here: a folder's tokenizer.json, else a
 * GGUF file's vocabulary in llama.cpp. Text such as `<|endoftext|>` becomes that special token.
 *
 * @param references - Models with the same vocabulary, opened as `model`.
 */
export async function openTokenizer(
  references: readonly string[],
  model: Model,
): Promise<OpenTokenizer> {
  const bos = openingToken(model);
  const located = await Promise.all(references.map(locateModel));
  const folder = located.find(({ kind }) => kind === 'folder');
  const file = located.find(({ kind }) => kind === 'gguf');
  if (folder) {
    const files = await readFolderFiles(folder.path);
    if (files.has('tokenizer.json') || !file) {
      const tokenizer = loadTokenizer(files);
      return { ...tokenizer, bos, close: async () => undefined };
    }
  }
  const { openLlamaVocabulary } = await import('../../runtime/llama.ts');
  const vocabulary = await openLlamaVocabulary(file!.path);
  return {
    bos,
    encode: (text) => vocabulary.tokenize(text, true),
    decode: (tokens) => vocabulary.detokenize(tokens, true),
    close: () => vocabulary.close(),
  };
}
