import { PithError } from '../../util/errors.ts';

/** Says of an interruption that nothing is lost. */
export async function orContinuable<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    throw new PithError(
      'cancelled',
      'Stopped; the scores so far are kept.',
      'Give the same command again to continue.',
      { cause },
    );
  }
}
