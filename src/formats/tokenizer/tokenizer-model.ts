import { z } from 'zod';
import { PithError } from '../../util/errors.ts';

/** Two adjacent tokens that byte-pair encoding joins; earlier pairs go first. */
export type Merge = readonly [left: string, right: string];

/** Byte-pair encoding. */
export interface BpeModel {
  readonly type: 'BPE';
  /** Token to id. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly Merge[];
  readonly unknownToken: string | undefined;
  /** Unknown characters become `<0xXX>` tokens. */
  readonly byteFallback: boolean;
  readonly ignoreMerges: boolean;
  /** Options that no GGUF vocabulary can express, by name, when the file uses them. */
  readonly inexpressible: readonly string[];
}

/** Unigram language model; a token's id is its place in `pieces`. */
export interface UnigramModel {
  readonly type: 'Unigram';
  readonly pieces: readonly (readonly [piece: string, score: number])[];
  readonly unknownId: number | undefined;
  readonly byteFallback: boolean;
}

/** Greedy longest-match of word pieces. */
export interface WordPieceModel {
  readonly type: 'WordPiece';
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly unknownToken: string;
  readonly continuationPrefix: string;
}

/** The model section of a tokenizer.json. */
export type TokenizerModel = BpeModel | UnigramModel | WordPieceModel;

const flag = z.boolean().nullish();
const text = z.string().nullish();
const bpeSchema = z.looseObject({
  unk_token: text,
  byte_fallback: flag,
  ignore_merges: flag,
  dropout: z.number().nullish(),
  continuing_subword_prefix: text,
  end_of_word_suffix: text,
});
const unigramSchema = z.looseObject({ unk_id: z.number().nullish(), byte_fallback: flag });
const wordPieceSchema = z.looseObject({
  unk_token: z.string().default('[UNK]'),
  continuing_subword_prefix: z.string().default('##'),
});

/**
 * Checks the model section; files older than 2020 name no type, which the fields then tell.
 *
 * @throws {@link PithError} `corrupt` or `unsupported`.
 */
export function parseModel(model: Readonly<Record<string, unknown>>): TokenizerModel {
  switch (modelType(model)) {
    case 'BPE':
      return parseBpe(model);
    case 'Unigram':
      return parseUnigram(model);
    case 'WordPiece': {
      const fields = read(wordPieceSchema, model);
      return {
        type: 'WordPiece',
        vocabulary: parseVocabulary(model['vocab']),
        unknownToken: fields.unk_token,
        continuationPrefix: fields.continuing_subword_prefix,
      };
    }
    default:
      throw new PithError(
        'unsupported',
        `tokenizer.json: the model type ${JSON.stringify(model['type'])?.slice(0, 40)} has no GGUF form.`,
        'Only BPE, Unigram and WordPiece tokenizers can be converted.',
      );
  }
}

function modelType(model: Readonly<Record<string, unknown>>): unknown {
  if (model['type'] !== undefined) return model['type'];
  if (model['merges'] !== undefined) return 'BPE';
  return Array.isArray(model['vocab']) ? 'Unigram' : 'WordPiece';
}

function parseBpe(model: Readonly<Record<string, unknown>>): BpeModel {
  const fields = read(bpeSchema, model);
  const vocabulary = parseVocabulary(model['vocab']);
  const inexpressible = (
    ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix'] as const
  ).filter((name) => fields[name]);
  const merges = parseMerges(model['merges']);
  if (inexpressible.length === 0) checkMerges(merges, vocabulary);
  return {
    type: 'BPE',
    vocabulary,
    merges,
    unknownToken: fields.unk_token ?? undefined,
    byteFallback: fields.byte_fallback ?? false,
    ignoreMerges: fields.ignore_merges ?? false,
    inexpressible,
  };
}

function parseUnigram(model: Readonly<Record<string, unknown>>): UnigramModel {
  const fields = read(unigramSchema, model);
  const list = model['vocab'];
  if (!Array.isArray(list)) throw corrupt('model.vocab of a Unigram is not a list');
  const pieces = list.map((entry: unknown, id) => {
    const [piece, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof piece !== 'string' || typeof score !== 'number')
      throw corrupt(`model.vocab[${id}] is not a piece with a score`);
    return [piece, score] as const;
  });
  const unknownId = fields.unk_id ?? undefined;
  if (unknownId !== undefined && !pieces[unknownId])
    throw corrupt(`model.unk_id is ${unknownId}, but there are ${pieces.length} pieces`);
  return { type: 'Unigram', pieces, unknownId, byteFallback: fields.byte_fallback ?? false };
}

/** Read by hand: a schema library drops the legal token `__proto__` and is slow on 10^5 entries. */
function parseVocabulary(value: unknown): Map<string, number> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt('model.vocab is not an object');
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(value as Record<string, unknown>)) {
    if (typeof id !== 'number') throw corrupt(`the id of token ${quote(token)} is not a number`);
    vocabulary.set(token, id);
  }
  return vocabulary;
}

function parseMerges(value: unknown): Merge[] {
  if (!Array.isArray(value)) throw corrupt('model.merges is not a list');
  return value.map((merge: unknown, rank) => {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    if (Array.isArray(parts) && parts.length === 2) {
      const [left, right] = parts as unknown[];
      if (typeof left === 'string' && typeof right === 'string' && left && right)
        return [left, right] as const;
    }
    throw corrupt(`model.merges[${rank}] is not a pair of tokens`);
  });
}

function checkMerges(merges: readonly Merge[], vocabulary: ReadonlyMap<string, number>): void {
  merges.forEach(([left, right], rank) => {
    for (const token of [left, right, left + right])
      if (!vocabulary.has(token))
        throw corrupt(`model.merges[${rank}] needs the token ${quote(token)}, which is missing`);
  });
}

function read<T>(schema: z.ZodType<T>, model: Readonly<Record<string, unknown>>): T {
  const result = schema.safeParse(model);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw corrupt(`model.${issue.path.join('.')}: ${issue.message}`);
}

const quote = (token: string) => JSON.stringify(token.slice(0, 60));

function corrupt(what: string): PithError {
  return new PithError('corrupt', `tokenizer.json: ${what}.`, 'Download tokenizer.json again.');
}
