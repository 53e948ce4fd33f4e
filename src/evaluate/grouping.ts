import { effectiveClusters, type Cluster } from './interval.ts';

/** What counts as independent when the interval of a token average is made. */
export interface Grouping {
  /** `blocks`: of consecutive tokens, because the documents are too few to compare. */
  readonly unit: 'documents' | 'blocks';
  /** Tokens of each unit, in order. */
  readonly counts: readonly number[];
  /** {@link effectiveClusters} of `counts`. */
  readonly effective: number;
}

/** Into how many blocks tokens are cut where documents are too few: as usual for batch means. */
const blockCount = 20;

/**
 * Groups scored tokens by document or, when these count for fewer than two, into 20 blocks of
 * consecutive tokens: the interval then is about this text, not about texts like it.
 *
 * @param documentTokens - Scored tokens of each document.
 */
export function groupTokens(documentTokens: readonly number[]): Grouping {
  const documents = documentTokens.filter((count) => count > 0);
  const effective = effectiveClusters(documents);
  if (effective >= 2) return { unit: 'documents', counts: documents, effective };
  const counts = evenBlocks(documents.reduce((sum, count) => sum + count, 0));
  return { unit: 'blocks', counts, effective: effectiveClusters(counts) };
}

function evenBlocks(tokens: number): number[] {
  const blocks = Math.min(blockCount, tokens);
  const end = (block: number) => Math.floor((block * tokens) / blocks);
  return Array.from({ length: blocks }, (_, block) => end(block + 1) - end(block));
}

/** Sums token values by group; `denominators` replaces the number of tokens, for ratios. */
export function clustersOf(
  { counts }: Grouping,
  values: ArrayLike<number>,
  denominators?: ArrayLike<number>,
): Cluster[] {
  let at = 0;
  return counts.map((tokens) => {
    let sum = 0;
    let count = 0;
    for (const end = at + tokens; at < end; at += 1) {
      sum += values[at]!;
      count += denominators?.[at] ?? 1;
    }
    return { sum, count };
  });
}
