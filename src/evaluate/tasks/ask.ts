import { PithError } from '../../util/errors.ts';
import type { TaskDefinition } from './definition.ts';
import { continuationLikelihoods, type Likelihoods } from './likelihood.ts';
import type { TaskModel } from './model.ts';
import type { Question } from './questions.ts';

/** What a model answered to one question. */
export type RowAnswer = Likelihoods | FreeText;

/** What can be kept of a run, as plain JSON: answers, or the vectors of a retrieval task. */
export type Answer = RowAnswer | Embedding;

/** What it wrote, and how many prompts had to be cut on the left: 0 or 1. */
export interface FreeText {
  readonly text: string;
  readonly truncated: number;
}

/** The vector of a document or a query. */
export interface Embedding {
  readonly vector: readonly number[];
}

/**
 * Puts one question to a model.
 *
 * @throws {@link PithError} `unsupported` when the model cannot do what the task asks; whatever the
 *   model throws.
 */
export async function ask(
  model: TaskModel,
  definition: TaskDefinition,
  question: Question,
  signal?: AbortSignal,
): Promise<RowAnswer> {
  if (definition.output_type === 'generate_until') {
    if (!model.generate) throw cannot(definition, 'generates no text');
    const { until, max_gen_toks: maxTokens } = definition.generation_kwargs;
    const stop = signal && { signal };
    const written = await model.generate(question.context, { until, maxTokens, ...stop });
    return { text: beforeStop(written.text, until), truncated: Number(written.truncated) };
  }
  const { scorer } = model;
  if (!scorer) throw cannot(definition, 'gives no probabilities');
  const place = { where: question.row.where, signal };
  return continuationLikelihoods(
    { ...model, scorer },
    question.context,
    question.continuations,
    place,
  );
}

/** The error of a task that a model is not made for. */
export function cannot({ task, output_type }: TaskDefinition, what: string): PithError {
  return new PithError(
    'unsupported',
    `The task ${task} is of type ${output_type}, but this model ${what}.`,
    'Take another task or engine.',
  );
}

function beforeStop(text: string, until: readonly string[]): string {
  const ends = until.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
