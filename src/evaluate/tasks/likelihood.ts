import { PithError } from '../../util/errors.ts';
import type { TokenScorer } from '../scorer.ts';
import { checkScores } from '../token-scores.ts';
import type { ContinuationAnswer } from './metric-rules.ts';
import type { TaskModel } from './model.ts';

/** Tokens of a context and of what continues it. */
interface EncodedPair {
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

/** Answers with how many contexts were cut on the left. */
export interface Likelihoods {
  readonly answers: readonly ContinuationAnswer[];
  readonly truncated: number;
}

/**
 * How likely continuations of a context are.
 *
 * Continuations of one token each are read from one forward pass.
 *
 * @param where - The row, for messages.
 * @throws {@link PithError} `shape` when a continuation alone fills the model's window, or has no
 *   tokens; `not-finite` for a probability that is none; whatever the scorer throws.
 * @remarks One forward pass a continuation otherwise, given to the scorer at once. Contexts are cut on the left to the window.
 */
export async function continuationLikelihoods(
  model: TaskModel & { readonly scorer: TokenScorer },
  context: string,
  continuations: readonly string[],
  { where, signal }: { readonly where: string; readonly signal: AbortSignal | undefined },
): Promise<Likelihoods> {
  const pairs = continuations.map((text) => encodePair(model, context, text));
  const windows = pairs.map((pair) => windowOf(pair, model.scorer.contextLength, where));
  const truncated = windows.filter((window) => window.truncated).length;
  const stop = signal && { signal };
  if (shareContext(pairs) && pairs.length > 1) {
    const at = Int32Array.from(pairs, ({ continuation }) => continuation[0]!);
    const scores = await model.scorer.score(windows[0]!, { at, ...stop });
    checkScores({ ...scores, logProbs: scores.at! }, where);
    const answers = Array.from(at, (token, choice) => {
      return { logLikelihood: scores.at![choice]!, greedy: scores.best[0] === token };
    });
    return { answers, truncated };
  }
  const answers = windows.map(async (window) => {
    const scores = await model.scorer.score(window, stop);
    checkScores(scores, where);
    const logLikelihood = scores.logProbs.reduce((sum, value) => sum + value, 0);
    const greedy = scores.best.every((id, at) => id === window.tokens[window.first + at]);
    return { logLikelihood, greedy };
  });
  return { answers: await allSettled(answers), truncated };
}

/** Waits for all, so that nothing runs on after a failure. */
async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * Tokens of a context and a continuation as they are when both stand in one text: spaces at the
 * context's end belong to the continuation, and the text's tokens are cut where the context's end.
 *
 * @see lm-evaluation-harness 0.4.13, `TemplateLM._encode_pair`.
 */
export function encodePair(model: TaskModel, context: string, continuation: string): EncodedPair {
  const encode = (text: string) => model.tokenizer.encode(text);
  const prefix = [model.prefixToken];
  if (context === '') {
    const tokens = encode(continuation);
    // A tokenizer that puts the prefix there itself.
    if (tokens[0] === model.prefixToken) return { context: prefix, continuation: tokens.slice(1) };
    return { context: prefix, continuation: tokens };
  }
  const trimmed = context.trimEnd();
  const alone = trimmed === '' ? [] : encode(trimmed);
  const tokens = encode(context + continuation).slice(alone.length);
  const bare = alone.length === 0 || (model.addPrefix && alone[0] !== model.prefixToken);
  return { context: bare ? [...prefix, ...alone] : alone, continuation: tokens };
}

function windowOf({ context, continuation }: EncodedPair, longest: number, where: string) {
  const count = continuation.length;
  if (count === 0 || count >= longest) {
    const numbers = `${count} tokens${count > 0 ? `, and the model's window ${longest}` : ''}`;
    const hint = count
      ? 'Remove the row, or take a model with a longer context.'
      : 'Remove the row.';
    throw new PithError('shape', `${where}: an answer has ${numbers}.`, hint);
  }
  const all = [...context, ...continuation];
  const tokens = Int32Array.from(all.slice(-longest));
  return { tokens, first: tokens.length - count, truncated: all.length > longest };
}

function shareContext(pairs: readonly EncodedPair[]): boolean {
  const [{ context }] = pairs as readonly [EncodedPair];
  return pairs.every((pair) => {
    const same = pair.context.length === context.length;
    return (
      pair.continuation.length === 1 && same && pair.context.every((id, at) => id === context[at])
    );
  });
}
