import { pythonPattern } from './pattern.ts';
import type { TaskDefinition } from './definition.ts';

/** What a generation task does to an answer before it is compared. */
export interface AnswerFilter {
  /** Of metrics: `exact_match,NAME`. */
  readonly name: string;
  readonly apply: (answer: string) => string;
}

type FilterStep = NonNullable<TaskDefinition['filter_list']>[number]['filter'][number];

/** The filters of a task; `none`, which changes nothing, where it names none. */
export function answerFilters({ file, filter_list }: TaskDefinition): AnswerFilter[] {
  if (filter_list === undefined) return [{ name: 'none', apply: (answer) => answer }];
  return filter_list.map(({ name, filter }) => {
    const steps = filter.map((step) => filterStep(step, `${file}: filter ${name}`));
    return { name, apply: (answer) => steps.reduce((text, step) => step(text), answer) };
  });
}

function filterStep(step: FilterStep, where: string): (answer: string) => string {
  if (step.function === 'regex') {
    const pattern = pythonPattern(step.regex_pattern, where);
    return (answer) => selected(answer, pattern, step);
  }
  return plainSteps[step.function];
}

const plainSteps = {
  remove_whitespace: (answer: string) => answer.trimStart(),
  lowercase: (answer: string) => answer.toLowerCase(),
  // There is one answer a row.
  take_first: (answer: string) => answer,
};

/** The chosen match: its group or, of several, the first that is not empty. */
function selected(answer: string, pattern: RegExp, step: FilterStep): string {
  const match = [...answer.matchAll(pattern)].at(step.group_select);
  if (match === undefined) return step.fallback;
  const [whole, ...groups] = match;
  if (groups.length === 0) return whole.trim();
  if (groups.length === 1) return (groups[0] ?? '').trim();
  return groups.find((group) => group)?.trim() ?? step.fallback;
}
