import { loadTokenizer } from '../../data/tokenizer.ts';
import { readFolderFiles } from '../../models/folder-files.ts';
import type { Model } from '../../models/model.ts';
import { locateModel, openModel } from '../../models/open.ts';
import { openLlamaVocabulary } from '../../runtime/llama.ts';
import type { TemplateOfModel } from './template-check.ts';
import type { Encode } from './tokenizer-check.ts';

/** What a file was made from, as far as tokens and templates go. */
export interface Source {
  /** Undefined when the source has no tokenizer that runs here. */
  readonly encode: Encode | undefined;
  readonly template: TemplateOfModel;
  close(): Promise<void>;
}

/**
 * Opens the tokenizer and template of a source: a folder's own tokenizer.json in
 * `@huggingface/tokenizers`, a GGUF file's vocabulary in llama.cpp.
 */
export async function openSource(reference: string): Promise<Source> {
  const model = await openModel(reference);
  const template = templateOf(model);
  await model.close();
  const { kind, path } = await locateModel(reference);
  if (kind === 'gguf') {
    const vocabulary = await openLlamaVocabulary(path);
    const encode = (text: string) => vocabulary.tokenize(text, false);
    return { encode, template, close: () => vocabulary.close() };
  }
  const files = await readFolderFiles(path);
  const tokenizer = files.has('tokenizer.json') ? loadTokenizer(files) : undefined;
  const encode = tokenizer && ((text: string) => tokenizer.encode(text));
  return { encode, template, close: async () => undefined };
}

/** The chat template among a model's keys, with the texts of its bos and eos tokens. */
export function templateOf({ metadata }: Model): TemplateOfModel {
  const template = metadata.get('tokenizer.chat_template');
  return {
    template: template?.type === 'string' ? template.value : undefined,
    bosToken: tokenText(metadata, 'tokenizer.ggml.bos_token_id'),
    eosToken: tokenText(metadata, 'tokenizer.ggml.eos_token_id'),
  };
}

function tokenText(metadata: Model['metadata'], key: string): string {
  const id = metadata.get(key);
  const tokens = metadata.get('tokenizer.ggml.tokens');
  if (typeof id?.value !== 'number' || tokens?.type !== 'array') return '';
  const text = tokens.value[id.value];
  return typeof text === 'string' ? text : '';
}
