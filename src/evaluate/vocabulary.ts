import type { Metadata, MetadataValue } from '../formats/gguf/metadata.ts';
import { PithError } from '../util/errors.ts';

/** A model as far as its vocabulary goes. */
export interface VocabularyOwner {
  readonly source: string;
  readonly metadata: Metadata;
}

const tokensKey = 'tokenizer.ggml.tokens';

/** Other keys that decide which tokens a text becomes, with what they are. */
const deciding = {
  'tokenizer.ggml.model': 'kind of tokenizer',
  'tokenizer.ggml.pre': 'pre-tokenizer',
  'tokenizer.ggml.merges': 'merges',
  'tokenizer.ggml.token_type': 'token types',
} as const;

/**
 * Checks that two models cut text into the same tokens, without which their probabilities cannot be
 * compared.
 *
 * @throws {@link PithError} `conflict` naming the first token, or else the part of the tokenizer, that
 *   differs.
 */
export function requireSameVocabulary(candidate: VocabularyOwner, base: VocabularyOwner): void {
  const own = tokensOf(candidate);
  const other = tokensOf(base);
  const at = firstDifference(own, other);
  if (at !== undefined) {
    const problem = `token ${at} is ${shown(own[at])} in ${candidate.source} and ${shown(other[at])} in ${base.source}`;
    throw differ(candidate, base, problem);
  }
  for (const [key, name] of Object.entries(deciding)) {
    const place = differingPlace(candidate.metadata.get(key), base.metadata.get(key));
    if (place !== undefined) throw differ(candidate, base, `their ${name} differ${place}`);
  }
}

/** The texts of a model's tokens, by id. */
export function tokensOf({ source, metadata }: VocabularyOwner): readonly string[] {
  const tokens = metadata.get(tokensKey);
  if (tokens?.type === 'array' && tokens.items === 'string') return tokens.value;
  throw new PithError('unsupported', `${source} has no vocabulary (${tokensKey}).`);
}

/** The token that goes before every text, when the tokenizer asks for one. */
export function openingToken({ metadata }: VocabularyOwner): number | undefined {
  const adds = metadata.get('tokenizer.ggml.add_bos_token');
  const kind = metadata.get('tokenizer.ggml.model')?.value;
  const bos = metadata.get('tokenizer.ggml.bos_token_id')?.value;
  // As llama.cpp: SentencePiece and WordPiece vocabularies open texts unless they say otherwise.
  const asks = adds?.type === 'bool' ? adds.value : kind === 'llama' || kind === 'bert';
  return asks && typeof bos === 'number' ? bos : undefined;
}

function differ(candidate: VocabularyOwner, base: VocabularyOwner, problem: string): PithError {
  return new PithError(
    'conflict',
    `${candidate.source} and ${base.source} have different tokenizers: ${problem}.`,
    'Compare with the model that this one was made from.',
  );
}

function shown(token: string | undefined): string {
  return token === undefined ? 'missing' : JSON.stringify(token);
}

/** Where two values differ: ` (at place 3)`, or an empty text for single ones; undefined when equal. */
function differingPlace(
  a: MetadataValue | undefined,
  b: MetadataValue | undefined,
): string | undefined {
  if (a?.type !== 'array' || b?.type !== 'array') return a?.value === b?.value ? undefined : '';
  const place = firstDifference<unknown>(a.value, b.value);
  return place === undefined ? undefined : ` (at place ${place})`;
}

function firstDifference<T>(a: ArrayLike<T>, b: ArrayLike<T>): number | undefined {
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return at;
  return undefined;
}
