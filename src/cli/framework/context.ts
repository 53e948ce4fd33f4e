import process from 'node:process';
import { ProgressBar } from '../terminal/progress-bar.ts';
import type { CommandContext } from './command.ts';
import { isIsolated, onPassedSignal } from './isolated.ts';
import type { Output } from './output.ts';

/** The context of a running command, and how to end it. */
export interface Session {
  readonly context: CommandContext;
  /** Clears the bar and gives Ctrl-C back to the system. */
  end(): void;
}

/**
 * Connects a command to this process: streams, progress bar, Ctrl-C.
 *
 * The first Ctrl-C aborts the signal, so that the command can finish its file and say what it kept;
 * a second one ends the process at once. The handlers stay installed meanwhile: packages that watch
 * for signals kill a process without any. A failing stdout aborts the signal too.
 */
export function startSession(
  flags: { readonly json: boolean; readonly quiet: boolean },
  output: Output,
): Session {
  const { stdin, stdout, stderr } = process;
  const abort = new AbortController();
  const bar = new ProgressBar(stderr);
  const interrupt = (signal: NodeJS.Signals) => {
    if (!abort.signal.aborted) return abort.abort();
    end();
    process.kill(process.pid, signal);
  };
  const ignore = isIsolated() ? onPassedSignal(interrupt) : onSignal(interrupt);
  output.onFailure(() => abort.abort());
  const context: CommandContext = {
    ...flags,
    signal: abort.signal,
    stdin,
    stdout,
    stderr,
    write(text) {
      if (flags.json) return;
      bar.clear();
      stdout.write(text);
    },
    note(line) {
      if (flags.quiet) return;
      bar.clear();
      stderr.write(`${line}\n`);
    },
    onProgress(event) {
      if (!flags.quiet && !flags.json) bar.update(event);
    },
  };
  function end(): void {
    bar.clear();
    ignore();
  }
  return { context, end };
}

/** Listens for Ctrl-C; returns how to stop. */
function onSignal(listener: (signal: NodeJS.Signals) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}
