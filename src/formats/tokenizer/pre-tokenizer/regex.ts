import { PithError } from '../../../util/errors.ts';
import type { Assertion, RegexNode } from './regex-node.ts';
import { parseRegex } from './regex-syntax.ts';

/** Counts matching steps down over everything it is handed to; the work is refused when it is spent. */
export interface StepBudget {
  left: number;
}

/** One match, `[start, end)` in characters (code points). */
export type Match = readonly [start: number, end: number];

/** A compiled regex that runs in a bounded number of steps. */
export interface BoundedRegex {
  /** Non-overlapping matches from left to right in a text given as code points. */
  findAll(text: readonly string[], budget: StepBudget): Match[];
}

interface Run {
  readonly text: readonly string[];
  readonly budget: StepBudget;
}

type Continue = (at: number) => number;
type Step = (run: Run, at: number, next: Continue) => number;

const failed = -1;
const stop: Continue = (at) => at;

/**
 * Compiles a regex of tokenizer.json for a backtracking matcher with Oniguruma's semantics.
 *
 * A file's regex is untrusted: JavaScript's own engine can be made to run for years and cannot be
 * stopped, so the search is done here, one step of a {@link StepBudget} at a time.
 *
 * @throws {@link PithError} as {@link parseRegex}; `findAll` throws `unsupported` past the budget.
 * @remarks Checked against `tokenizers` 0.23.3 (Oniguruma 6.9): test/golden/tokenizer.
 */
export function compileRegex(source: string): BoundedRegex {
  const step = compile(parseRegex(source));
  return {
    findAll(text, budget) {
      try {
        return findAll(step, { text, budget });
      } catch (error) {
        if (error instanceof RangeError) throw tooMuchWork(text.length);
        throw error;
      }
    },
  };
}

function findAll(step: Step, run: Run): Match[] {
  const matches: Match[] = [];
  let lastEnd = failed;
  for (let start = 0; start <= run.text.length;) {
    const end = step(run, start, stop);
    const isRepeatedEmpty = end === start && start === lastEnd;
    if (end >= 0 && !isRepeatedEmpty) matches.push([start, (lastEnd = end)]);
    start = end > start ? end : start + 1;
  }
  return matches;
}

function spend(run: Run): void {
  if (--run.budget.left < 0) throw tooMuchWork(run.text.length);
}

function tooMuchWork(characters: number): PithError {
  return new PithError(
    'unsupported',
    `The pre-tokenizer regex backtracks too long or too deep on a text of ${characters} characters.`,
    'Check the pre_tokenizer section of tokenizer.json: a quantifier inside a quantifier does this.',
  );
}

function compile(node: RegexNode): Step {
  switch (node.kind) {
    case 'character':
      return (run, at, next) => {
        spend(run);
        return at < run.text.length && node.test(run.text[at]!) ? next(at + 1) : failed;
      };
    case 'sequence':
      return compileSequence(node.items.map(compile));
    case 'choice':
      return compileChoice(node.options.map(compile));
    case 'repeat':
      return compileRepeat(node);
    case 'atomic':
      return atomic(compile(node.item));
    case 'look':
      return compileLook(node);
    default:
      return (run, at, next) => (assertions[node.assertion](run.text, at) ? next(at) : failed);
  }
}

function compileSequence(steps: readonly Step[]): Step {
  return (run, start, next) => {
    const follow = (index: number, at: number): number =>
      index === steps.length ? next(at) : steps[index]!(run, at, (end) => follow(index + 1, end));
    return follow(0, start);
  };
}

function compileChoice(options: readonly Step[]): Step {
  return (run, at, next) => {
    for (const option of options) {
      spend(run);
      const end = option(run, at, next);
      if (end >= 0) return end;
    }
    return failed;
  };
}

function compileRepeat(node: RegexNode & { kind: 'repeat' }): Step {
  const { min, max, mode } = node;
  const item = compile(node.item);
  if (mode === 'possessive') return atomic(repeat(item, { min, max, lazy: false }));
  return repeat(item, { min, max, lazy: mode === 'lazy' });
}

function repeat(item: Step, range: { min: number; max: number; lazy: boolean }): Step {
  const { min, max, lazy } = range;
  return (run, start, next) => {
    const more = (count: number, at: number): number => {
      if (count >= max) return failed;
      spend(run);
      return item(run, at, (end) => {
        if (end > at) return attempt(count + 1, end);
        return next(end);
      });
    };
    const attempt = (count: number, at: number): number => {
      if (count < min) return more(count, at);
      const first = lazy ? next(at) : more(count, at);
      if (first >= 0) return first;
      return lazy ? more(count, at) : next(at);
    };
    return attempt(0, start);
  };
}

function atomic(item: Step): Step {
  return (run, at, next) => {
    const end = item(run, at, stop);
    return end < 0 ? failed : next(end);
  };
}

function compileLook(node: RegexNode & { kind: 'look' }): Step {
  const item = compile(node.item);
  const behind = (run: Run, at: number): boolean => {
    for (let start = at; start >= 0; start--)
      if (item(run, start, (end) => (end === at ? end : failed)) >= 0) return true;
    return false;
  };
  return (run, at, next) => {
    spend(run);
    const found = node.ahead ? item(run, at, stop) >= 0 : behind(run, at);
    return found === node.negated ? failed : next(at);
  };
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u.test(character);

const isWordEdge = (text: readonly string[], at: number): boolean =>
  isWord(text[at - 1]) !== isWord(text[at]);

const assertions: Record<Assertion, (text: readonly string[], at: number) => boolean> = {
  'line-start': (text, at) => at === 0 || (text[at - 1] === '\n' && at < text.length),
  'line-end': (text, at) => at === text.length || text[at] === '\n',
  'text-start': (_, at) => at === 0,
  'text-end': (text, at) => at === text.length,
  'last-line-end': (text, at) =>
    at === text.length || (at === text.length - 1 && text[at] === '\n'),
  'word-edge': isWordEdge,
  'no-edge': (text, at) => !isWordEdge(text, at),
};
