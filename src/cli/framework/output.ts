import process from 'node:process';
import { PithError } from '../../util/errors.ts';

/** Watches stdout and stderr, whose errors would otherwise end the process with a stack trace. */
export interface Output {
  /** Called once, when a write fails. */
  onFailure(listener: () => void): void;
  /**
   * Waits until everything is written.
   *
   * @returns Whether all of it arrived; false when the reader went away, which is no error.
   * @throws PithError `io` or `no-space` when writing failed otherwise.
   */
  flush(): Promise<boolean>;
}

export function watchOutput(): Output {
  let failure: NodeJS.ErrnoException | undefined;
  let listener: (() => void) | undefined;
  const onError = (error: NodeJS.ErrnoException) => {
    failure ??= error;
    listener?.();
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
  return {
    onFailure(called) {
      listener = called;
    },
    async flush() {
      await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      if (failure === undefined) return true;
      if (failure.code === 'EPIPE') return false;
      throw new PithError(
        failure.code === 'ENOSPC' ? 'no-space' : 'io',
        `Writing the output failed: ${failure.message}.`,
        undefined,
        { cause: failure },
      );
    },
  };
}
