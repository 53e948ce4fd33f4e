import type { Figure } from './figure.ts';
import { klHistogram, type KlHistogram } from './kl-histogram.ts';
import { clustersOf, groupTokens, type Grouping } from './grouping.ts';
import { clusteredMean, mapFigure } from './interval.ts';
import { judged, pairedDifference, type PairedDifference } from './paired.ts';
import { proportion } from './proportion.ts';
import { clusteredQuantiles } from './quantiles.ts';
import type { ComparedScores, TokenScores } from './token-scores.ts';
import type { ScoredDocument } from './windows.ts';

/** How well a model predicts text. */
export interface Likelihood {
  /** exp of the mean loss in nats a token. */
  readonly perplexity: Figure;
  /** Losses in bits / UTF-8 bytes of the scored text: comparable between tokenizers. */
  readonly bitsPerByte: Figure;
}

/** How far a candidate is from its base, on the same tokens. */
export interface Comparison {
  readonly base: Likelihood;
  /** Candidate / base, paired; distinguishable from 1. */
  readonly perplexityRatio: PairedDifference;
  /** KL(base‖candidate) in nats a token; the maximum has no interval. */
  readonly klDivergence: {
    readonly mean: Figure;
    readonly median: Figure;
    readonly p99: Figure;
    readonly p999: Figure;
    readonly max: number;
  };
  /** How the divergences spread over the scored tokens. */
  readonly klHistogram: KlHistogram;
  readonly topTokenAgreement: Figure;
  /** Of the probability of the token that stands there: candidate − base. */
  readonly deltaP: { readonly mean: PairedDifference; readonly rms: Figure };
  /** What the kept top tokens leave out. */
  readonly tail: TailReport;
}

/** The base's probability outside its kept tokens, which count as one: KL is a lower bound. */
export interface TailReport {
  /** Kept tokens a position. */
  readonly top: number;
  readonly meanProbability: number;
  readonly largestProbability: number;
  /** What the mean KL would gain if the tail's tokens diverged among themselves as the top's do. */
  readonly estimatedGap: number;
}

/** What an interval is made over. */
export interface IntervalUnit {
  readonly unit: Grouping['unit'];
  readonly count: number;
  /** Units of one size that would say as much. */
  readonly effective: number;
}

/** Groups tokens by document, or into blocks where these are too few. */
export function groupDocuments(documents: readonly ScoredDocument[]): Grouping {
  return groupTokens(documents.map(({ tokens }) => tokens));
}

/** What a grouping is, for reports. */
export function describeGrouping({ unit, counts, effective }: Grouping): IntervalUnit {
  return { unit, count: counts.length, effective };
}

/**
 * Perplexity and bits per byte of log-probabilities, with 95 % intervals.
 *
 * @param logProbs - `[n]`, of all documents, one after the other.
 */
export function summarizeLikelihood(
  logProbs: Float32Array,
  documents: readonly ScoredDocument[],
  grouping: Grouping = groupDocuments(documents),
): Likelihood {
  const losses = logProbs.map((value) => -value);
  const bits = Float64Array.from(losses, (loss) => loss / Math.LN2);
  return {
    perplexity: mapFigure(clusteredMean(clustersOf(grouping, losses)), Math.exp),
    bitsPerByte: clusteredMean(clustersOf(grouping, bits, bytesOfEach(documents))),
  };
}

/** Bytes of each token: those of its document shared out evenly. */
function bytesOfEach(documents: readonly ScoredDocument[]): Float64Array {
  const all = new Float64Array(documents.reduce((sum, { tokens }) => sum + tokens, 0));
  let at = 0;
  for (const { tokens, bytes } of documents) all.fill(bytes / tokens, at, (at += tokens));
  return all;
}

/**
 * What a candidate lost against its base, with paired 95 % intervals.
 *
 * @param top - Kept tokens a position, for the report of the tail.
 * @see llama-perplexity --kl-divergence, whose figures these are. It differs in storing every
 *   probability in 16 bits, leaving out tokens below e⁻¹⁶ of the likeliest and tokens that depend on each
 *   other counting as independent in its errors.
 */
export function summarizeComparison(
  scores: TokenScores & { readonly against: ComparedScores },
  documents: readonly ScoredDocument[],
  top: number,
): Comparison {
  const grouping = groupDocuments(documents);
  const { logProbs, against } = scores;
  const mean = (values: Float32Array) => clusteredMean(clustersOf(grouping, values));
  const losses = clustersOf(
    grouping,
    logProbs.map((value) => -value),
  );
  const baseLosses = clustersOf(
    grouping,
    against.baseLogProbs.map((value) => -value),
  );
  const difference = pairedDifference(losses, baseLosses);
  const [median, p99, p999] = clusteredQuantiles(against.kl, grouping, [0.5, 0.99, 0.999]);
  return {
    base: summarizeLikelihood(against.baseLogProbs, documents, grouping),
    perplexityRatio: { ...difference, ...mapFigure(difference, Math.exp) },
    klDivergence: {
      mean: notNegative(mean(against.kl)),
      median: notNegative(median!),
      p99: notNegative(p99!),
      p999: notNegative(p999!),
      max: largest(against.kl),
    },
    klHistogram: klHistogram(against.kl),
    topTokenAgreement: proportion(clustersOf(grouping, against.agrees)),
    deltaP: summarizeDeltaP(logProbs, against.baseLogProbs, grouping),
    tail: {
      top,
      meanProbability: mean(against.tail).value,
      largestProbability: largest(against.tail),
      estimatedGap: mean(against.gap).value,
    },
  };
}

function summarizeDeltaP(
  logProbs: Float32Array,
  base: Float32Array,
  grouping: Grouping,
): Comparison['deltaP'] {
  const differences = logProbs.map((value, at) => Math.exp(value) - Math.exp(base[at]!));
  const squares = clusteredMean(
    clustersOf(
      grouping,
      differences.map((value) => value * value),
    ),
  );
  return {
    mean: judged(clusteredMean(clustersOf(grouping, differences))),
    rms: mapFigure(notNegative(squares), Math.sqrt),
  };
}

/** Cuts an interval at 0, below which the figure cannot be. */
function notNegative(figure: Figure): Figure {
  return mapFigure(figure, (value) => Math.max(0, value));
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
