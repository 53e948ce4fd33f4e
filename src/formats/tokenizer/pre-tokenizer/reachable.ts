import type { Merge } from '../tokenizer-model.ts';
import type { TokenizerJson } from '../tokenizer-json.ts';

/** Squared token lengths in all; 200,000 published tokens need 2e7. Past it, tokens count as unreachable. */
const workLimit = 1e9;

/**
 * Tokens of a BPE vocabulary that its merges never build from their own text, so that only
 * `ignore_merges` can produce them. Added tokens are matched elsewhere and not counted.
 *
 * @remarks One BPE run per token: about 2 s for 128,000 tokens.
 */
export function unreachableTokens(tokenizer: TokenizerJson): string[] {
  const { model } = tokenizer;
  if (model.type !== 'BPE') return [];
  const added = new Set(tokenizer.addedTokens.map((token) => token.content));
  const ranks = mergeRanks(model.merges);
  const unreachable: string[] = [];
  let work = 0;
  for (const token of model.vocabulary.keys()) {
    if (added.has(token)) continue;
    work += token.length ** 2;
    if (work > workLimit || mergeAll(token, ranks).length > 1) unreachable.push(token);
  }
  return unreachable;
}

type Ranks = ReadonlyMap<string, ReadonlyMap<string, number>>;

function mergeRanks(merges: readonly Merge[]): Ranks {
  const ranks = new Map<string, Map<string, number>>();
  merges.forEach(([left, right], rank) => {
    let rights = ranks.get(left);
    if (!rights) ranks.set(left, (rights = new Map()));
    if (!rights.has(right)) rights.set(right, rank);
  });
  return ranks;
}

function mergeAll(word: string, ranks: Ranks): string[] {
  const parts = Array.from(word);
  for (;;) {
    let best = -1;
    let bestRank = Infinity;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i]!)?.get(parts[i + 1]!) ?? Infinity;
      if (rank < bestRank) [best, bestRank] = [i, rank];
    }
    if (best < 0) return parts;
    parts.splice(best, 2, parts[best]! + parts[best + 1]!);
  }
}
