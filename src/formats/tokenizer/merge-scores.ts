import type { BpeModel } from './tokenizer-model.ts';

/** Scores that make llama.cpp's SentencePiece search join tokens as the merges say. */
export interface MergeScores {
  /** Token to score, 0 for the first merge and falling. */
  readonly scores: ReadonlyMap<string, number>;
  /** A pair that the merges treat otherwise than the scores can; undefined when the ids agree. */
  readonly conflict: string | undefined;
}

/**
 * Turns the merges of an SPM-style tokenizer.json into piece scores.
 *
 * llama.cpp joins any two neighbours whose text is a token, best score first. This equals the merges
 * exactly when every split of every token into two tokens is a merge, and all merges that make one
 * token stand together: the law by which transformers writes merges from SentencePiece scores.
 * convert_hf_to_gguf.py gives all tokens -1000 instead, which cuts words at wrong places.
 *
 * @param skipped - Special tokens: never joined from text.
 */
export function mergeScores(model: BpeModel, skipped: ReadonlySet<string>): MergeScores {
  const scores = new Map<string, number>();
  const pairs = new Set<string>();
  let conflict: string | undefined;
  let last: string | undefined;
  for (const [left, right] of model.merges) {
    const token = left + right;
    pairs.add(`${left} ${right}`);
    if (!scores.has(token)) scores.set(token, -scores.size);
    else if (token !== last) conflict ??= `merges for ${JSON.stringify(token)} stand apart`;
    last = token;
  }
  let work = 0;
  for (const token of model.vocabulary.keys()) {
    if (!scores.has(token)) scores.set(token, -scores.size);
    if (conflict || skipped.has(token) || byteToken.test(token)) continue;
    work += token.length ** 2;
    const missing = work > workLimit ? [token, ''] : missingSplit(token, model.vocabulary, pairs);
    if (missing) conflict = `${JSON.stringify(missing)} is no merge, but a token when joined`;
  }
  return { scores, conflict };
}

const byteToken = /^<0x[0-9A-Fa-f]{2}>$/;

/** Squared token lengths in all; 300,000 published tokens need 3e7. */
const workLimit = 1e9;

function missingSplit(
  token: string,
  vocabulary: ReadonlyMap<string, number>,
  pairs: ReadonlySet<string>,
): [string, string] | undefined {
  for (let cut = 1; cut < token.length; cut++) {
    const left = token.slice(0, cut);
    const right = token.slice(cut);
    if (vocabulary.has(left) && vocabulary.has(right) && !pairs.has(`${left} ${right}`))
      return [left, right];
  }
  return undefined;
}
