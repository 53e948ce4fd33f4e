import { PithError } from '../../util/errors.ts';
import { bootstrap } from '../bootstrap.ts';
import type { Figure } from '../figure.ts';
import { judged, pairedDifference, type PairedDifference } from '../paired.ts';
import {
  chanceLevel,
  clustersOf,
  onePerRow,
  type ClassMeasure,
  type MeanMeasure,
  type Measure,
} from './measure.ts';
import { retention } from './retention.ts';
import type { TaskResult } from './run.ts';

/** What became of a task's score. */
export interface MetricComparison {
  /** `acc,none`. */
  readonly key: string;
  /** Candidate − base on the same rows; its sign alone says nothing unless it is distinguishable. */
  readonly difference: PairedDifference;
  /** The share of what the base scores above chance that is left; for scores with a chance level, the higher the better. */
  readonly retention?: Figure;
}

/**
 * Compares two models on the rows of one task, in pairs.
 *
 * @throws {@link PithError} `shape` when the two did not answer the same questions.
 */
export function compareTasks(candidate: TaskResult, base: TaskResult): MetricComparison[] {
  requireSameQuestions(candidate, base);
  return candidate.measures.map((measure) => {
    const other = base.measures.find(({ key }) => key === measure.key);
    if (other === undefined) throw different(candidate, `only one has the metric ${measure.key}`);
    const difference = differenceOf(measure, other);
    const isMerit = measure.rule.higherIsBetter && chanceLevel(measure) !== undefined;
    if (!isMerit) return { key: measure.key, difference };
    return { key: measure.key, difference, retention: retentionOf(measure, other) };
  });
}

function differenceOf(candidate: Measure, base: Measure): PairedDifference {
  if ('classes' in candidate) return classDifference(candidate, base as ClassMeasure);
  const { scores } = base as MeanMeasure;
  const { map } = candidate.rule;
  if (!map) return pairedDifference(clustersOf(candidate.scores), clustersOf(scores));
  return resampled(candidate.scores, (weights) => {
    return map(weightedMean(candidate.scores, weights)) - map(weightedMean(scores, weights));
  });
}

function classDifference(candidate: ClassMeasure, base: ClassMeasure): PairedDifference {
  const { ofClasses } = candidate.rule;
  return resampled(candidate.classes, (weights) => {
    return ofClasses(candidate.classes, weights) - ofClasses(base.classes, weights);
  });
}

function resampled(
  rows: readonly unknown[],
  statistic: (weights: Uint32Array) => number,
): PairedDifference {
  return judged(bootstrap(onePerRow(rows), (weights) => [statistic(weights)])[0]!);
}

function retentionOf(candidate: Measure, base: Measure): Figure {
  return retention(aboveChance(candidate as MeanMeasure), aboveChance(base as MeanMeasure));
}

function aboveChance({ scores, chances = [] }: MeanMeasure): number[] {
  return scores.map((score, row) => score - chances[row]!);
}

function weightedMean(values: readonly number[], weights: Uint32Array): number {
  let sum = 0;
  values.forEach((value, at) => (sum += value * weights[at]!));
  return sum / values.length;
}

function requireSameQuestions(candidate: TaskResult, base: TaskResult): void {
  const [count, others] = [candidate.samples.length, base.samples.length];
  if (count !== others) throw different(candidate, `they answered ${count} and ${others} rows`);
  const at = candidate.samples.findIndex((sample, row) => {
    const other = base.samples[row]!;
    return asked(sample) !== asked(other);
  });
  if (at >= 0)
    throw different(candidate, `row ${at + 1} differs (${candidate.samples[at]!.row.where})`);
}

function asked({ context, continuations, targets }: TaskResult['samples'][number]): string {
  return JSON.stringify([context, continuations, targets]);
}

function different({ definition }: TaskResult, problem: string): PithError {
  const hint = 'Evaluate both models with the same task file and data.';
  return new PithError(
    'shape',
    `${definition.task}: the two models cannot be compared: ${problem}.`,
    hint,
  );
}
