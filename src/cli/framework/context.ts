import process from 'node:process';
import { ProgressBar } from '../terminal/progress-bar.ts';
import type { CommandContext } from './command.ts';

/** The context of a running command, and what the program needs to end it. */
export interface Session {
  readonly context: CommandContext;
  /** Waits until everything is written; the error of the first write that failed, if any did. */
  flush(): Promise<NodeJS.ErrnoException | undefined>;
  /** Clears the bar and gives Ctrl-C back to the system. */
  end(): void;
}

/**
 * Connects a command to this process: streams, progress bar, Ctrl-C.
 *
 * The first Ctrl-C aborts the signal, so that the command can finish its file and say what it kept;
 * a second one ends the process at once. The
 * handlers stay installed meanwhile: packages that watch for signals kill a process without any.
 */
export function startSession(flags: { readonly json: boolean; readonly quiet: boolean }): Session {
  const { stdin, stdout, stderr } = process;
  const abort = new AbortController();
  const bar = new ProgressBar(stderr);
  let writeError: NodeJS.ErrnoException | undefined;
  const interrupt = (signal: NodeJS.Signals) => {
    if (!abort.signal.aborted) return abort.abort();
    end();
    process.kill(process.pid, signal);
  };
  const onWriteError = (error: NodeJS.ErrnoException) => {
    writeError ??= error;
    abort.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  stdout.on('error', onWriteError);
  stderr.on('error', onWriteError);
  const context: CommandContext = {
    ...flags,
    signal: abort.signal,
    stdin,
    stdout,
    stderr,
    write(text) {
      if (flags.json || writeError) return;
      bar.clear();
      stdout.write(text);
    },
    note(line) {
      if (flags.quiet || writeError) return;
      bar.clear();
      stderr.write(`${line}\n`);
    },
    onProgress(event) {
      if (!flags.quiet && !flags.json) bar.update(event);
    },
  };
  const flush = async () => {
    await new Promise<void>((resolve) => stdout.write('', () => resolve()));
    return writeError;
  };
  function end(): void {
    bar.clear();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  return { context, flush, end };
}
