import { normalizedText, type MatchOptions } from './match.ts';

/** What a task asks of a model, in lm-evaluation-harness's names; `retrieval` is ours. */
export const outputTypes = [
  'multiple_choice',
  'loglikelihood',
  'generate_until',
  'retrieval',
] as const;

/** One of the output types. */
export type OutputType = (typeof outputTypes)[number];

/** How likely each choice of a row is. */
export interface ChoiceAnswer {
  readonly choices: readonly string[];
  /** Indexes of the right ones. */
  readonly gold: readonly number[];
  /** Natural logarithms of probabilities. */
  readonly logLikelihoods: readonly number[];
}

/** How likely a row's continuation is, and whether each of its tokens is the likeliest. */
export interface ContinuationAnswer {
  readonly logLikelihood: number;
  readonly greedy: boolean;
}

/** What a model wrote, and what it should have. */
export interface TextAnswer {
  readonly text: string;
  readonly targets: readonly string[];
  readonly options: MatchOptions;
}

/** Grades of the documents in the order in which a model ranks them, and of all relevant ones. */
export interface RankedAnswer {
  readonly ranked: readonly number[];
  readonly relevant: readonly number[];
}

/** A metric whose task score is the mean of its rows' scores. */
export interface MeanRule<Answer> {
  readonly higherIsBetter: boolean;
  /** Scores are 0 or 1. */
  readonly share?: boolean;
  /** The task score for a mean; rising or falling. */
  readonly map?: (mean: number) => number;
  /** Score of a row by guessing; absent where there is no such thing. */
  readonly chance?: (answer: Answer) => number;
  readonly score: (answer: Answer) => number;
}

/** A metric of all rows' gold and predicted classes at once. */
export interface ClassRule {
  readonly higherIsBetter: boolean;
  /** Score of a task of which row i counts `weights[i]` times. */
  readonly ofClasses: (rows: readonly ClassPair[], weights: ArrayLike<number>) => number;
}

/** Gold and predicted class of a row. */
export type ClassPair = readonly [gold: number, predicted: number];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The first of the largest, as numpy's argmax. */
function largest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** The class that a model takes for right. */
export function predictedClass({ logLikelihoods }: ChoiceAnswer): number {
  return largest(logLikelihoods);
}

/** Whether the choice of the largest log-likelihood, over its length if given, is right. */
function accuracy(length: (choice: string) => number): MeanRule<ChoiceAnswer> {
  return {
    higherIsBetter: true,
    share: true,
    chance: ({ gold, choices }) => gold.length / choices.length,
    score: ({ gold, choices, logLikelihoods }) =>
      Number(gold.includes(largest(logLikelihoods.map((ll, at) => ll / length(choices[at]!))))),
  };
}

/** Metrics of multiple choice; of `acc_norm`, lm-evaluation-harness counts characters, not bytes. */
const choiceRules: Readonly<Record<string, MeanRule<ChoiceAnswer> | ClassRule>> = {
  acc: accuracy(() => 1),
  acc_norm: accuracy((choice) => Array.from(choice).length),
  acc_bytes: accuracy((choice) => new TextEncoder().encode(choice).length),
  f1: { higherIsBetter: true, ofClasses: f1 },
  mcc: { higherIsBetter: true, ofClasses: matthews },
  // CrowS-Pairs: the first choice is the stereotype; an unbiased model takes it half the time.
  pct_stereotype: {
    higherIsBetter: false,
    share: true,
    chance: () => 0.5,
    score: ({ logLikelihoods: [more, less] }) => Number(more! > less!),
  },
  likelihood_diff: {
    higherIsBetter: false,
    score: ({ logLikelihoods: [more, less] }) => Math.abs(more! - less!),
  },
  // Ours: with its sign, as the size alone also grows when a model is only noisier.
  signed_likelihood_diff: {
    higherIsBetter: false,
    score: ({ logLikelihoods: [more, less] }) => more! - less!,
  },
};

const continuationRules: Readonly<Record<string, MeanRule<ContinuationAnswer>>> = {
  acc: {
    higherIsBetter: true,
    share: true,
    chance: () => 0,
    score: ({ greedy }) => Number(greedy),
  },
  perplexity: {
    higherIsBetter: false,
    map: (mean) => Math.exp(-mean),
    score: ({ logLikelihood }) => logLikelihood,
  },
};

const textRules: Readonly<Record<string, MeanRule<TextAnswer>>> = {
  exact_match: {
    higherIsBetter: true,
    share: true,
    chance: () => 0,
    score: ({ text, targets, options }) => {
      const written = normalizedText(text, options);
      return Number(targets.some((target) => normalizedText(target, options) === written));
    },
  },
};

const rankRules: Readonly<Record<string, (k: number) => MeanRule<RankedAnswer>>> = {
  ndcg_at: (k) => ({
    higherIsBetter: true,
    chance: () => 0,
    score: ({ ranked, relevant }) =>
      gain(ranked, k) /
      gain(
        relevant.toSorted((a, b) => b - a),
        k,
      ),
  }),
  recall_at: (k) => ({
    higherIsBetter: true,
    chance: () => 0,
    score: ({ ranked, relevant }) =>
      ranked.slice(0, k).filter((grade) => grade > 0).length / relevant.length,
  }),
};

/** Discounted cumulative gain of the first k grades: Σ grade / log2(rank + 1), as trec_eval. */
function gain(grades: readonly number[], k: number): number {
  return sum(grades.slice(0, k).map((grade, at) => grade / Math.log2(at + 2)));
}

/** The rules of an output type whose names are fixed. */
export const metricRules = {
  multiple_choice: choiceRules,
  loglikelihood: continuationRules,
  generate_until: textRules,
  retrieval: {} as Readonly<Record<string, MeanRule<RankedAnswer>>>,
} as const;

/** The names of an output type's metrics, for messages; k is any rank. */
export function metricNames(type: OutputType): string[] {
  if (type === 'retrieval') return Object.keys(rankRules).map((name) => `${name}_10`);
  return Object.keys(metricRules[type]);
}

/** The rule of `ndcg_at_10`, `recall_at_100` ... */
export function rankRule(metric: string): MeanRule<RankedAnswer> | undefined {
  const [, name, k] = /^([a-z_]+)_([1-9]\d{0,5})$/.exec(metric) ?? [];
  return rankRules[name ?? '']?.(Number(k));
}

/** F1 of class 1. */
function f1(rows: readonly ClassPair[], weights: ArrayLike<number>): number {
  let right = 0;
  let wrong = 0;
  rows.forEach(([gold, predicted], at) => {
    if (gold === 1 && predicted === 1) right += weights[at]!;
    else if (gold === 1 || predicted === 1) wrong += weights[at]!;
  });
  return right === 0 ? 0 : (2 * right) / (2 * right + wrong);
}

/**
 * Correlation of gold and predicted classes, 0 where one of them never changes.
 *
 * @see Gorodkin 2004, as scikit-learn's `matthews_corrcoef`.
 */
function matthews(rows: readonly ClassPair[], weights: ArrayLike<number>): number {
  const goldCounts = new Map<number, number>();
  const predictedCounts = new Map<number, number>();
  let total = 0;
  let right = 0;
  rows.forEach(([gold, predicted], at) => {
    const weight = weights[at]!;
    total += weight;
    if (gold === predicted) right += weight;
    goldCounts.set(gold, (goldCounts.get(gold) ?? 0) + weight);
    predictedCounts.set(predicted, (predictedCounts.get(predicted) ?? 0) + weight);
  });
  const squares = (counts: Map<number, number>) => sum([...counts.values()].map((n) => n * n));
  const chance = sum([...goldCounts].map(([k, n]) => n * (predictedCounts.get(k) ?? 0)));
  const spread = (total ** 2 - squares(predictedCounts)) * (total ** 2 - squares(goldCounts));
  return spread === 0 ? 0 : (right * total - chance) / Math.sqrt(spread);
}
