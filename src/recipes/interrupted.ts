import { PithError } from '../util/errors.ts';

/** What is kept of an evaluation. */
export const keptScores = 'the scores so far are kept';

/** Says of an interruption what is kept. */
export async function orContinuable<T>(
  signal: AbortSignal | undefined,
  kept: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    const hint = 'Give the same command again to continue.';
    throw new PithError('cancelled', `Stopped; ${kept}.`, hint, { cause });
  }
}
