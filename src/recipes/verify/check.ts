import { PithError, type ErrorCode } from '../../util/errors.ts';

/** One thing that was checked about a file; `skipped` says that it could not be checked here. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly skipped?: true;
  readonly detail: string;
  /** Of a check that failed: what kind of error it is, and the next step where there is one. */
  readonly code?: ErrorCode;
  readonly hint?: string;
}

/**
 * Runs one check; its result is what it found, a failure what went wrong.
 *
 * A missing engine skips the check and says so; every other error is the file's.
 */
export async function check(name: string, run: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await run() };
  } catch (error) {
    if (!(error instanceof PithError) || error.code === 'cancelled') throw error;
    if (error.code === 'engine-missing') {
      return { name, ok: true, skipped: true, detail: `not checked: ${error.message}` };
    }
    const { code, message: detail, hint } = error;
    return { name, ok: false, detail, code, ...(hint !== undefined && { hint }) };
  }
}

/** The error of a check that found something wrong. */
export function wrong(detail: string): PithError {
  return new PithError('verify-failed', detail);
}

/** Why a check makes no sense for a file, or cannot be made here. */
export function unchecked(reason: string): PithError {
  return new PithError('engine-missing', reason);
}
