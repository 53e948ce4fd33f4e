import type { FreeText, RowAnswer } from './ask.ts';
import type { TaskDefinition } from './definition.ts';
import { answerFilters } from './filters.ts';
import type { Likelihoods } from './likelihood.ts';
import type { MatchOptions } from './match.ts';
import { meanMeasure, type Measure } from './measure.ts';
import { metricRules, predictedClass, rankRule, type RankedAnswer } from './metric-rules.ts';
import { pythonPattern } from './pattern.ts';
import type { Question } from './questions.ts';

/** A question with what a model answered. */
export interface Answered {
  readonly question: Question;
  readonly answer: RowAnswer;
}

type MetricEntry = TaskDefinition['metric_list'][number];

/** Scores a task's answers by all of its metrics. */
export function measuresOf(definition: TaskDefinition, answered: readonly Answered[]): Measure[] {
  const { metric_list } = definition;
  switch (definition.output_type) {
    case 'generate_until':
      return metric_list.flatMap((entry) => textMeasures(definition, entry, answered));
    case 'multiple_choice':
      return metric_list.map(({ metric }) => choiceMeasure(metric, answered));
    default:
      return metric_list.map(({ metric }) => {
        const answers = answered.map(({ answer }) => (answer as Likelihoods).answers[0]!);
        return meanMeasure(`${metric},none`, metricRules.loglikelihood[metric]!, answers);
      });
  }
}

/** Scores rankings by all metrics of a retrieval task. */
export function rankMeasures(
  { metric_list }: TaskDefinition,
  rankings: readonly RankedAnswer[],
): Measure[] {
  return metric_list.map(({ metric }) =>
    meanMeasure(`${metric},none`, rankRule(metric)!, rankings),
  );
}

function choiceMeasure(metric: string, answered: readonly Answered[]): Measure {
  const rule = metricRules.multiple_choice[metric]!;
  const answers = answered.map(({ question, answer }) => {
    const logLikelihoods = (answer as Likelihoods).answers.map((choice) => choice.logLikelihood);
    return { choices: question.choices, gold: question.gold, logLikelihoods };
  });
  const key = `${metric},none`;
  if ('score' in rule) return meanMeasure(key, rule, answers);
  const classes = answers.map((answer) => [answer.gold[0]!, predictedClass(answer)] as const);
  return { key, rule, classes };
}

function textMeasures(
  definition: TaskDefinition,
  entry: MetricEntry,
  answered: readonly Answered[],
): Measure[] {
  const options = matchOptions(definition, entry);
  return answerFilters(definition).map(({ name, apply }) => {
    const answers = answered.map(({ question: { targets }, answer }) => {
      return { text: apply((answer as FreeText).text), targets, options };
    });
    const { metric } = entry;
    return meanMeasure(`${metric},${name}`, metricRules.generate_until[metric]!, answers);
  });
}

function matchOptions({ file }: TaskDefinition, entry: MetricEntry): MatchOptions {
  return {
    ignored: entry.regexes_to_ignore.map((source) => {
      return pythonPattern(source, `${file}: ${entry.metric}`);
    }),
    ignoreCase: entry.ignore_case,
    ignorePunctuation: entry.ignore_punctuation,
    ignoreNumbers: entry.ignore_numbers,
  };
}
