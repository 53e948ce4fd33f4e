import type { TaskDefinition } from './definition.ts';
import { pythonPattern } from './pattern.ts';
import { badRow, type Row } from './row.ts';
import type { Task } from './task.ts';
import { RowTemplate } from './template.ts';

/** What a model is asked about a row, and what is right. */
export interface Question {
  readonly row: Row;
  /** What precedes the answer: description, examples, the row's own text. */
  readonly context: string;
  /** Empty where the answer is free. */
  readonly choices: readonly string[];
  /** What continues the context: each choice, or the target, with what stands before it. */
  readonly continuations: readonly string[];
  /** Indexes of the right choices. */
  readonly gold: readonly number[];
  /** Right texts. */
  readonly targets: readonly string[];
}

/**
 * The questions of a task, all of them checked before a model sees the first.
 *
 * @throws {@link PithError} `corrupt` with `file:line` for rows without an answer, with an answer that is
 *   none of the choices, with fewer than two choices, or without a field that a template names.
 */
export function questionsOf(task: Task): Question[] {
  const reader = new RowReader(task.definition);
  const examples = task.examples.map((row) => reader.example(row)).join('');
  const before = task.definition.description + examples;
  return task.rows.map((row) => reader.question(row, before));
}

class RowReader {
  readonly #definition: TaskDefinition;
  readonly #text: RowTemplate;
  readonly #target: RowTemplate;
  readonly #choice: RowTemplate | undefined;
  readonly #replacements: readonly (readonly [RegExp, string])[];

  constructor(definition: TaskDefinition) {
    const { file, doc_to_text, doc_to_target, doc_to_choice, preprocess } = definition;
    this.#definition = definition;
    this.#text = new RowTemplate(String(doc_to_text), `${file}: doc_to_text`);
    this.#target = new RowTemplate(String(doc_to_target), `${file}: doc_to_target`);
    if (typeof doc_to_choice === 'string') {
      this.#choice = new RowTemplate(doc_to_choice, `${file}: doc_to_choice`);
    }
    this.#replacements = preprocess.map(([source, text]) => {
      return [pythonPattern(source, `${file}: preprocess`), text];
    });
  }

  question(row: Row, before: string): Question {
    const { output_type, target_delimiter } = this.#definition;
    const context = before + this.#cleaned(this.#text.text(row));
    const choices = this.#choices(row);
    const target = this.#targetOf(row);
    if (output_type !== 'multiple_choice') {
      const targets = target.map((value) => this.#freeTarget(row, value, choices));
      const continuations = output_type === 'loglikelihood' ? targets.slice(0, 1) : [];
      return { row, context, choices, continuations, gold: [], targets };
    }
    if (choices.length < 2) {
      throw badRow(row.where, `the row has ${choices.length} choices`, 'Check doc_to_choice.');
    }
    const gold = target.map((value) => choiceIndex(row, value, choices));
    const continuations = choices.map((choice) => target_delimiter + choice);
    return { row, context, choices, continuations, gold, targets: gold.map((at) => choices[at]!) };
  }

  /** A row with its answer, as the model sees it before the question. */
  example(row: Row): string {
    const { target_delimiter, fewshot_delimiter } = this.#definition;
    const { context, targets } = this.question(row, '');
    return context + target_delimiter + targets[0]! + fewshot_delimiter;
  }

  #choices(row: Row): string[] {
    const { doc_to_choice } = this.#definition;
    if (doc_to_choice === undefined) return [];
    const fixed = typeof doc_to_choice === 'object' ? Object.values(doc_to_choice) : undefined;
    const choices: unknown = fixed ?? this.#choice!.value(row);
    if (Array.isArray(choices) && choices.every((choice) => typeof choice === 'string')) {
      return choices.map((choice) => this.#cleaned(choice));
    }
    throw badRow(row.where, 'its choices are no list of texts', 'Check doc_to_choice.');
  }

  #targetOf(row: Row): readonly unknown[] {
    const { doc_to_target } = this.#definition;
    const target: unknown =
      typeof doc_to_target === 'string' ? this.#target.value(row) : doc_to_target;
    const values: readonly unknown[] = Array.isArray(target) ? target : [target];
    const missing = values.some((value) => value === null || value === undefined || value === '');
    if (values.length > 0 && !missing) return values;
    throw badRow(row.where, 'the row has no answer', 'Check doc_to_target, or remove the row.');
  }

  #freeTarget(row: Row, value: unknown, choices: readonly string[]): string {
    if (choices.length > 0) return choices[choiceIndex(row, value, choices)]!;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  #cleaned(text: string): string {
    if (this.#replacements.length === 0) return text;
    return this.#replacements.reduce((result, [pattern, by]) => {
      return result.replaceAll(pattern, by);
    }, text.trim());
  }
}

/** The index that an answer gives, or that its text has among the choices. */
function choiceIndex({ where }: Row, answer: unknown, choices: readonly string[]): number {
  const numeric = typeof answer === 'string' ? /^\d+$/.test(answer) : typeof answer !== 'object';
  const index = numeric ? Number(answer) : choices.indexOf(String(answer));
  if (Number.isInteger(index) && index >= 0 && index < choices.length) return index;
  const what = JSON.stringify(answer);
  throw badRow(
    where,
    numeric
      ? `the answer is choice ${what}, but the choices are 0 to ${choices.length - 1}`
      : `the answer ${what} is none of the ${choices.length} choices`,
    'Check doc_to_target: a choice is given by its text, or by its index from 0.',
  );
}
