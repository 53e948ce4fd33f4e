import { PithError } from '../../util/errors.ts';

/** An error as `--json` prints it: `code` is one of Pith's codes, or `internal` for a bug. */
export interface ErrorReport {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
  };
}

/** Exit codes: 0 done, 1 failed, 2 wrong command line, 130 stopped by Ctrl-C. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof PithError)) return 1;
  if (error.code === 'usage') return 2;
  return error.code === 'cancelled' ? 130 : 1;
}

/** Turns what a command threw into an error for people: an abort is `cancelled`. */
export function normalizeError(error: unknown): unknown {
  if (error instanceof Error && error.name === 'AbortError') {
    return new PithError('cancelled', 'Stopped.', undefined, { cause: error });
  }
  return error;
}

/** The error as one JSON object. */
export function errorReport(error: unknown): ErrorReport {
  if (error instanceof PithError) {
    const { code, message, hint } = error;
    return { error: { code, message, ...(hint !== undefined && { hint }) } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code: 'internal', message, hint: bugHint } };
}

const bugHint = 'This is a bug in Pith. Run again with PITH_DEBUG=1 and report what it prints.';

/** The error as lines for people: what happened and why, then the next step. */
export function describeError(error: unknown, debug: boolean): string {
  const { code, message, hint } = errorReport(error).error;
  const lines = [code === 'cancelled' ? message : `pith: ${message} [${code}]`];
  if (hint !== undefined) lines.push(`  ${hint}`);
  if (debug && error instanceof Error) lines.push(stackOf(error));
  return lines.join('\n');
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
