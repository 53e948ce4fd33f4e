import type { EvaluateOptions } from './request.ts';
import { EvaluationSession } from './session.ts';

/** Options within a session. */
export type SessionOptions = EvaluateOptions & { readonly session: EvaluationSession };

/** Works in the session of a command, or in one of its own. */
export async function inSession<T>(
  options: EvaluateOptions,
  work: (options: SessionOptions) => Promise<T>,
): Promise<T> {
  if (options.session) return work({ ...options, session: options.session });
  const session = new EvaluationSession();
  const result = await work({ ...options, session });
  await session.end();
  return result;
}
