import { z } from 'zod';
import { PithError } from '../../util/errors.ts';
import { readJson, readText, type TokenizerFiles } from './files.ts';

/** The chat templates of a model: Jinja sources by name; the unnamed one is `default`. */
export interface ChatTemplates {
  readonly byName: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

const templateSchema = z.looseObject({
  chat_template: z
    .union([
      z.string().transform((template) => [{ name: 'default', template }]),
      z.array(z.looseObject({ name: z.string(), template: z.string() })),
    ])
    .nullish(),
});

const additional = /^additional_chat_templates\/([^/]+)\.jinja$/;

/**
 * Collects the templates of chat_template.jinja with `additional_chat_templates/`, else
 * tokenizer_config.json, else chat_template.json.
 *
 * The file wins over the config, as in transformers (convert_hf_to_gguf.py has it the other way);
 * that is noted where they differ.
 *
 * @throws {@link PithError} `corrupt` for a chat_template that is neither text nor named templates.
 */
export function readChatTemplates(files: TokenizerFiles): ChatTemplates {
  const fromConfig = namedTemplates(files, 'tokenizer_config.json');
  const file = readText(files, 'chat_template.jinja');
  if (file === undefined) {
    const byName = fromConfig.size > 0 ? fromConfig : namedTemplates(files, 'chat_template.json');
    return { byName, notes: [] };
  }
  const byName = new Map([['default', file]]);
  for (const name of [...files.keys()].sort()) {
    const match = additional.exec(name);
    if (match) byName.set(match[1]!, readText(files, name)!);
  }
  const inConfig = fromConfig.get('default');
  const notes =
    inConfig === undefined || inConfig === file
      ? []
      : [
          'chat_template.jinja differs from the template in tokenizer_config.json: the file is used',
        ];
  return { byName, notes };
}

function namedTemplates(files: TokenizerFiles, name: string): Map<string, string> {
  const value = readJson(files, name);
  const templates = new Map<string, string>();
  if (value === undefined) return templates;
  const result = templateSchema.safeParse(value);
  if (!result.success)
    throw new PithError(
      'corrupt',
      `${name}: chat_template is neither a text nor a list of named templates.`,
      `Download ${name} again.`,
    );
  for (const entry of result.data.chat_template ?? []) templates.set(entry.name, entry.template);
  return templates;
}
