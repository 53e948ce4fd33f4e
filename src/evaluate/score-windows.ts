import type { TokenScorer } from './scorer.ts';
import { checkScores, compareScores, type BaseScores, type TokenScores } from './token-scores.ts';
import type { DocumentWindow, Windows } from './windows.ts';

/** Tokens of the base's distribution that are kept, unless the vocabulary is smaller. */
const keptTokens = 256;

/** How many of a vocabulary's tokens the base's distributions keep. */
export function keptTop(vocabulary: number): number {
  return Math.min(keptTokens, vocabulary);
}

/** Which windows to score. */
export interface ScoreRange {
  /** The first window; those before are known from an interrupted run. Default 0. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

/**
 * Scores windows with the base model and keeps its likeliest tokens; results in order.
 *
 * @param top - How many, at most the vocabulary: {@link keptTop}.
 * @throws PithError what the scorer throws; `not-finite` for a probability that is none.
 */
export function scoreBase(
  scorer: TokenScorer,
  text: Windows,
  top: number,
  range: ScoreRange = {},
): AsyncGenerator<BaseScores> {
  return inGroups(scorer, text, range, async (index) => {
    const window = text.windows[index]!;
    const scores = await scorer.score(window, { top, ...signalOf(range) });
    checkScores(scores, nameOf(window, text));
    return { logProbs: scores.logProbs, top: scores.top! };
  });
}

/**
 * Scores windows with a candidate, beside its base where there is one; results in order.
 *
 * @param base - The base's scores of window `index`, made with `scoreBase` from the same windows.
 * @throws PithError as {@link scoreBase}.
 */
export function scoreCandidate(
  scorer: TokenScorer,
  text: Windows,
  base: ((index: number) => Promise<BaseScores>) | undefined,
  range: ScoreRange = {},
): AsyncGenerator<TokenScores> {
  return inGroups(scorer, text, range, async (index) => {
    const window = text.windows[index]!;
    const against = await base?.(index);
    const at = against && { at: against.top.ids };
    const scores = await scorer.score(window, { ...at, ...signalOf(range) });
    checkScores(scores, nameOf(window, text));
    if (!against) return { logProbs: scores.logProbs };
    const isWhole = against.top.ids.length === scores.logProbs.length * scorer.vocabulary;
    return compareScores(scores, against, isWhole);
  });
}

/**
 * Scores as many windows at once as the scorer likes. Groups begin at multiples of that number, so that an
 * interrupted run that continues has the same ones, and with them the same rounding.
 */
async function* inGroups<T>(
  { windowsAtOnce = 1 }: TokenScorer,
  { windows }: Windows,
  { from = 0 }: ScoreRange,
  score: (index: number) => Promise<T>,
): AsyncGenerator<T> {
  const start = from - (from % windowsAtOnce);
  for (let first = start; first < windows.length; first += windowsAtOnce) {
    const group = windows.slice(first, first + windowsAtOnce);
    const jobs = group.map((_, at) => score(first + at));
    // When one fails, the others must not run on behind the caller's back.
    await Promise.allSettled(jobs);
    const scored = await Promise.all(jobs);
    yield* scored.slice(Math.max(0, from - first));
  }
}

function nameOf({ document }: DocumentWindow, { documents }: Windows): string {
  return documents[document]!.name;
}

function signalOf({ signal }: ScoreRange): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}
