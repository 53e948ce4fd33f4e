import { questionsOf } from './questions.ts';
import { retrievalQuestions } from './retrieval.ts';
import type { Task } from './task.ts';

/** A text that a model reads, and those whose likelihood after it is asked. */
export interface Asked {
  readonly context: string;
  readonly continuations: readonly string[];
}

/**
 * What a task asks of a model, one for each answer of `RunOptions.onAnswer`.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for rows that cannot be asked.
 */
export function askedBy(task: Task): readonly Asked[] {
  if (task.definition.output_type !== 'retrieval') return questionsOf(task);
  const { documents, queries } = retrievalQuestions(task);
  return [...documents, ...queries].map(({ text }) => ({ context: text, continuations: [] }));
}
