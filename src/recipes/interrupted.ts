import { PithError } from '../util/errors.ts';

/** What a stopped job leaves behind. */
export interface Left {
  /** Ends the sentence "Stopped; ...". */
  readonly what: string;
  /** Whether the same command goes on there. */
  readonly continues: boolean;
}

/** The scores of an evaluation, which the same one continues. */
export function keptScores(): Left {
  return { what: 'the scores so far are kept', continues: true };
}

/**
 * Says of an interruption what is kept.
 *
 * @param left - Asked when work was stopped.
 * @throws PithError `cancelled` when it was; what work throws.
 */
export async function orStopped<T>(
  signal: AbortSignal | undefined,
  left: () => Left,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal?.aborted) throw cause;
    const { what, continues } = left();
    const hint = `Give the same command again${continues ? ' to continue' : ''}.`;
    throw new PithError('cancelled', `Stopped; ${what}.`, hint, { cause });
  }
}
