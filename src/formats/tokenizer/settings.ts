import { z } from 'zod';
import { PithError } from '../../util/errors.ts';
import { readJson, type TokenizerFiles } from './files.ts';

/** What a special token is for. */
export type Role = 'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask';

/** The roles in the order that a GGUF file lists them. */
export const roles: readonly Role[] = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

/** A token outside the model's own vocabulary, as tokenizer_config.json lists it. */
export interface DeclaredToken {
  readonly content: string;
  readonly special: boolean;
}

/** What the small JSON files around a tokenizer say. */
export interface TokenizerSettings {
  /** The text of each special token. */
  readonly tokens: ReadonlyMap<Role, string>;
  /** The ids of each special token from config.json, else generation_config.json; several for eos. */
  readonly ids: ReadonlyMap<Role, readonly number[]>;
  /** Id to token, from added_tokens.json and tokenizer_config.json. */
  readonly declared: ReadonlyMap<number, DeclaredToken>;
  readonly addBos: boolean | undefined;
  readonly addEos: boolean | undefined;
  readonly addPrefixSpace: boolean | undefined;
  readonly cleansSpaces: boolean | undefined;
  readonly tokenizerClass: string | undefined;
  /** Rows of the embedding matrix: the vocabulary is padded or cut to it. */
  readonly vocabSize: number | undefined;
}

/** A field of another type is as good as absent: these files hold much that is not for us. */
const flag = z.boolean().optional().catch(undefined);
const text = z.string().optional().catch(undefined);
const token = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((entry) => entry.content)])
  .optional()
  .catch(undefined);
const idList = z
  .union([z.number().transform((id) => [id]), z.array(z.number())])
  .optional()
  .catch(undefined);
const size = z
  .number()
  .int()
  .positive()
  .nullish()
  .transform((value) => value ?? undefined);

function perRole<S extends string, T>(suffix: S, schema: T): Record<`${Role}_${S}`, T> {
  return Object.fromEntries(roles.map((role) => [`${role}_${suffix}`, schema])) as Record<
    `${Role}_${S}`,
    T
  >;
}
const tokenFields = perRole('token', token);
const idFields = perRole('token_id', idList);

const tokenizerConfigSchema = z.looseObject({
  ...tokenFields,
  add_bos_token: flag,
  add_eos_token: flag,
  add_prefix_space: flag,
  clean_up_tokenization_spaces: flag,
  tokenizer_class: text,
  added_tokens_decoder: z
    .record(z.string(), z.looseObject({ content: z.string(), special: z.boolean().default(false) }))
    .nullish(),
});
const specialTokensSchema = z.looseObject(tokenFields);
const addedTokensSchema = z.record(z.string(), z.number());
const textConfigSchema = z.looseObject({ ...idFields, vocab_size: size });
const configSchema = textConfigSchema.extend({ text_config: textConfigSchema.nullish() });
const generationSchema = z.looseObject(idFields);

/**
 * Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json, config.json and
 * generation_config.json, as far as they are there.
 *
 * @throws {@link PithError} `corrupt` naming the file and field.
 */
export function readSettings(files: TokenizerFiles): TokenizerSettings {
  const config = parse(files, 'tokenizer_config.json', tokenizerConfigSchema);
  const added = parse(files, 'added_tokens.json', addedTokensSchema);
  return {
    tokens: specialTokens(files, config),
    ...modelFacts(files),
    declared: declaredTokens(added, config.added_tokens_decoder ?? {}),
    addBos: config.add_bos_token,
    addEos: config.add_eos_token,
    addPrefixSpace: config.add_prefix_space,
    cleansSpaces: config.clean_up_tokenization_spaces,
    tokenizerClass: config.tokenizer_class,
  };
}

function specialTokens(
  files: TokenizerFiles,
  config: z.infer<typeof tokenizerConfigSchema>,
): Map<Role, string> {
  const special = parse(files, 'special_tokens_map.json', specialTokensSchema);
  const tokens = new Map<Role, string>();
  for (const role of roles) {
    const name = config[`${role}_token`] ?? special[`${role}_token`];
    if (name) tokens.set(role, name);
  }
  return tokens;
}

/** Ids and size from config.json (`text_config` of multimodal models), then generation_config.json. */
function modelFacts(files: TokenizerFiles): Pick<TokenizerSettings, 'ids' | 'vocabSize'> {
  const config = parse(files, 'config.json', configSchema);
  const generation = parse(files, 'generation_config.json', generationSchema);
  const ids = new Map<Role, readonly number[]>();
  for (const role of roles) {
    const key = `${role}_token_id` as const;
    const id = config[key] ?? config.text_config?.[key] ?? generation[key];
    if (id && id.length > 0) ids.set(role, id);
  }
  return { ids, vocabSize: config.vocab_size ?? config.text_config?.vocab_size };
}

function declaredTokens(
  added: Readonly<Record<string, number>>,
  decoder: Readonly<Record<string, DeclaredToken>>,
): Map<number, DeclaredToken> {
  const declared = new Map<number, DeclaredToken>();
  for (const [content, id] of Object.entries(added)) declared.set(id, { content, special: false });
  for (const [id, { content, special }] of Object.entries(decoder))
    declared.set(Number(id), { content, special });
  return declared;
}

/** An absent file is an empty one. */
function parse<T>(files: TokenizerFiles, name: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(readJson(files, name) ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new PithError(
    'corrupt',
    `${name}: ${issue.path.join('.') || 'the file'}: ${issue.message}.`,
    `Download ${name} again.`,
  );
}
