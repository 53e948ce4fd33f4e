import { inOrder } from '../util/in-order.ts';
import type { TokenScorer } from './scorer.ts';
import { checkScores, compareScores, type BaseScores, type TokenScores } from './token-scores.ts';
import type { DocumentWindow, Windows } from './windows.ts';

/** Tokens of the base's distribution that are kept, unless the vocabulary is smaller. */
const keptTokens = 256;

/** Windows given at once to a scorer that does not say how many. */
const windowsAtOnce = 4;

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
 * @throws PithError what the scorer throws; `not-finite` for a probability that is none.
 */
export function scoreBase(
  scorer: TokenScorer,
  text: Windows,
  range: ScoreRange = {},
): AsyncGenerator<BaseScores> {
  const top = keptTop(scorer.vocabulary);
  return inOrder(rest(text, range), windowsOf(scorer), async (window) => {
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
  const indexes = rest(text, range).map((_, at) => at + (range.from ?? 0));
  return inOrder(indexes, windowsOf(scorer), async (index) => {
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

function windowsOf(scorer: TokenScorer): number {
  return scorer.windowsAtOnce ?? windowsAtOnce;
}

function rest({ windows }: Windows, { from = 0 }: ScoreRange): readonly DocumentWindow[] {
  return windows.slice(from);
}

function nameOf({ document }: DocumentWindow, { documents }: Windows): string {
  return documents[document]!.name;
}

function signalOf({ signal }: ScoreRange): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}
