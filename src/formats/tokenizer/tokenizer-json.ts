import { z } from 'zod';
import { PithError } from '../../util/errors.ts';
import { parseModel, type TokenizerModel } from './tokenizer-model.ts';

/** One step of a normalizer, pre-tokenizer, post-processor or decoder; its fields are unchecked. */
export interface Component {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A token that is found in the text before the model runs. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Dropped when text is decoded; a control token. */
  readonly special: boolean;
  /** Looked for in the normalized text, not in the raw one. */
  readonly normalized: boolean;
}

/** A parsed tokenizer.json, with every Sequence flattened. */
export interface TokenizerJson {
  readonly model: TokenizerModel;
  readonly addedTokens: readonly AddedToken[];
  readonly normalizers: readonly Component[];
  readonly preTokenizers: readonly Component[];
  readonly postProcessors: readonly Component[];
  readonly decoders: readonly Component[];
}

const maxNesting = 16;
const maxComponents = 256;

const componentSchema = z.looseObject({ type: z.string() });
const addedTokenSchema = z.looseObject({
  id: z.number(),
  content: z.string(),
  special: z.boolean().default(false),
  normalized: z.boolean().default(true),
});
const fileSchema = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z.array(addedTokenSchema).nullish(),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(),
});

/**
 * Checks a parsed tokenizer.json and gives it types.
 *
 * @param value - The JSON value; untrusted.
 * @throws {@link PithError} `corrupt` naming the field or token that is wrong; `unsupported` for a
 *   model that is not BPE, Unigram or WordPiece.
 * @see https://github.com/huggingface/tokenizers, version 0.23.3, the serde implementations.
 */
export function parseTokenizerJson(value: unknown): TokenizerJson {
  const result = fileSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    throw corrupt(`${issue.path.join('.') || 'the file'}: ${issue.message}`);
  }
  const file = result.data;
  return {
    model: parseModel(file.model),
    addedTokens: file.added_tokens ?? [],
    normalizers: flatten(file.normalizer, 'normalizers'),
    preTokenizers: flatten(file.pre_tokenizer, 'pretokenizers'),
    postProcessors: flatten(file.post_processor, 'processors'),
    decoders: flatten(file.decoder, 'decoders'),
  };
}

function corrupt(what: string): PithError {
  return new PithError('corrupt', `tokenizer.json: ${what}.`, 'Download tokenizer.json again.');
}

/** The steps of a section in order; `members` is what a Sequence calls its list. */
function flatten(section: unknown, members: string): Component[] {
  const components: Component[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (value === null || value === undefined) return;
    if (depth > maxNesting) throw corrupt(`${members} are nested deeper than ${maxNesting}`);
    const parsed = componentSchema.safeParse(value);
    if (!parsed.success) throw corrupt(`a member of ${members} has no type`);
    const component: Component = parsed.data;
    if (component.type !== 'Sequence') components.push(component);
    else {
      const list = component[members];
      if (!Array.isArray(list)) throw corrupt(`a Sequence without ${members}`);
      for (const member of list) visit(member, depth + 1);
    }
    if (components.length > maxComponents) throw corrupt(`more than ${maxComponents} ${members}`);
  };
  visit(section, 0);
  return components;
}
