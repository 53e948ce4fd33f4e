import { loadTokenizer } from '../../data/tokenizer.ts';
import { readFolderFiles } from '../../models/folder-files.ts';
import type { Model } from '../../models/model.ts';
import { locateModel, openModel } from '../../models/open.ts';
import { tryTexts } from '../../runtime/llama-trial.ts';
import { probeTexts } from './probe-texts.ts';
import type { TemplateOfModel } from './template-check.ts';

/** What a file was made from, as far as tokens and templates go. */
export interface Source {
  /** Tokens of each probe text; undefined when the source has no tokenizer that runs here. */
  readonly tokens: readonly (readonly number[])[] | undefined;
  readonly template: TemplateOfModel;
}

/**
 * Reads the template of a source and lets its tokenizer cut the probe texts: a folder's own
 * tokenizer.json in `@huggingface/tokenizers`, a GGUF file's vocabulary in llama.cpp.
 */
export async function readSource(reference: string, signal: AbortSignal): Promise<Source> {
  const model = await openModel(reference);
  const template = templateOf(model);
  await model.close();
  const { kind, path } = await locateModel(reference);
  const texts = probeTexts.map(({ text }) => text);
  if (kind === 'gguf') {
    const tried = await tryTexts(path, texts, signal);
    return { tokens: tried.map(({ tokens }) => tokens), template };
  }
  const files = await readFolderFiles(path);
  const tokenizer = files.has('tokenizer.json') ? loadTokenizer(files) : undefined;
  return { tokens: tokenizer && texts.map((text) => tokenizer.encode(text)), template };
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
