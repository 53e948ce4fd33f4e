import { createInterface } from 'node:readline';
import type { CommandContext } from './framework/command.ts';

/** Lines that a user types or pipes in, and what Ctrl-C means between and during answers. */
export interface UserLines extends AsyncIterable<string> {
  /** Whether a person sits at a terminal. */
  readonly interactive: boolean;
  /** Runs one answer: the first Ctrl-C aborts its signal, the next one leaves. */
  during<T>(answer: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
}

/**
 * Reads lines from stdin; on a terminal with a prompt, history and line editing.
 *
 * There Ctrl-C stops an answer; at the prompt it clears the line, and a second one in a row ends the
 * lines. Without a terminal Ctrl-C aborts the command's own signal.
 */
export function readUserLines(context: CommandContext): UserLines {
  const { stdin, stdout } = context;
  const interactive = stdin.isTTY && stdout.isTTY && !context.json;
  const reader = createInterface({
    input: stdin,
    prompt: '> ',
    ...(interactive && { output: stdout }),
  });
  let stop: AbortController | undefined;
  let leaving = false;
  let prompting = false;
  const prompt = () => {
    prompting = interactive;
    if (interactive) reader.prompt();
  };
  reader.on('close', () => {
    if (prompting) stdout.write('\n');
  });
  reader.on('SIGINT', () => {
    if (stop && !stop.signal.aborted) stop.abort();
    else if (leaving) reader.close();
    else {
      reader.write(null, { ctrl: true, name: 'u' });
      stdout.write('\n');
      context.note('Ctrl-C again, Ctrl-D or /exit leaves.');
      reader.prompt();
    }
    leaving = true;
  });
  return {
    interactive,
    async during(answer) {
      stop = new AbortController();
      try {
        return await answer(AbortSignal.any([stop.signal, context.signal]));
      } finally {
        stop = undefined;
      }
    },
    async *[Symbol.asyncIterator]() {
      prompt();
      for await (const line of reader) {
        leaving = prompting = false;
        yield line;
        prompt();
      }
    },
    close: () => reader.close(),
  };
}
