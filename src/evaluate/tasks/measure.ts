import { bootstrap } from '../bootstrap.ts';
import type { Figure } from '../figure.ts';
import { clusteredMean, meanOf, type Cluster } from '../interval.ts';
import { proportion } from '../proportion.ts';
import type { ClassPair, ClassRule, MeanRule } from './metric-rules.ts';

interface Named {
  /** `acc,none`: the metric, and the filter of the answers. */
  readonly key: string;
}

/** A metric over a task's rows: its score for each. */
export interface MeanMeasure extends Named {
  readonly rule: Omit<MeanRule<never>, 'score' | 'chance'>;
  readonly scores: readonly number[];
  /** Score of each row by guessing. */
  readonly chances?: readonly number[];
}

/** A metric over a task's rows as a whole. */
export interface ClassMeasure extends Named {
  readonly rule: ClassRule;
  readonly classes: readonly ClassPair[];
}

/** A metric with what its rows say. */
export type Measure = MeanMeasure | ClassMeasure;

/** A metric's rule applied to answers. */
export function meanMeasure<Answer>(
  key: string,
  rule: MeanRule<Answer>,
  answers: readonly Answer[],
): MeanMeasure {
  const { chance, score, ...kept } = rule;
  const chances = chance && { chances: answers.map(chance) };
  return { key, rule: kept, scores: answers.map(score), ...chances };
}

/**
 * A measure's score with its 95 % interval: Wilson's for shares, Student's for means, seeded
 * bootstrap for f1 and mcc. Rows count as independent.
 */
export function measureFigure(measure: Measure): Figure {
  if ('classes' in measure) {
    const { classes, rule } = measure;
    return bootstrap(onePerRow(classes), (weights) => [rule.ofClasses(classes, weights)])[0]!;
  }
  const clusters = clustersOf(measure.scores);
  if (measure.rule.share) return proportion(clusters);
  return mapped(clusteredMean(clusters), measure.rule.map ?? ((mean) => mean));
}

/**
 * The standard error, as lm-evaluation-harness gives it for means: sample deviation over √n; NaN for
 * one row. Of a mapped mean by the delta method; of f1 and mcc a quarter of the interval.
 */
export function standardError(measure: Measure): number {
  const count = 'classes' in measure ? measure.classes.length : measure.scores.length;
  if (count < 2) return NaN;
  if ('classes' in measure) {
    const { low, high } = measureFigure(measure);
    return (high - low) / 4;
  }
  const { mean, standardError } = meanOf(clustersOf(measure.scores));
  const { map } = measure.rule;
  if (map === undefined) return standardError;
  const step = 1e-6;
  return (Math.abs(map(mean + step) - map(mean - step)) / (2 * step)) * standardError;
}

/** The score by guessing, where there is one. */
export function chanceLevel(measure: Measure): number | undefined {
  if ('classes' in measure || !measure.chances) return undefined;
  return meanOf(clustersOf(measure.chances)).mean;
}

/** Rows as clusters of one. */
export function clustersOf(scores: readonly number[]): Cluster[] {
  return scores.map((sum) => ({ sum, count: 1 }));
}

/** The size of each cluster when rows are independent. */
export function onePerRow(rows: readonly unknown[]): number[] {
  return rows.map(() => 1);
}

function mapped({ value, low, high }: Figure, map: (mean: number) => number): Figure {
  const ends = [map(low), map(high)];
  return { value: map(value), low: Math.min(...ends), high: Math.max(...ends) };
}
