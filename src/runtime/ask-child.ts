import { fork, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { PithError, type ErrorCode } from '../util/errors.ts';

/** What a process answers: what it was asked for, or the error that it met. */
type Answer =
  | { readonly value: unknown }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string | undefined;
      };
    };

/** How to ask a process. */
export interface AskOptions {
  /** The error for a process that ended without an answer: its signal or exit code, and its last words. */
  readonly onEnd: (how: string, said: string) => PithError;
  readonly signal?: AbortSignal | undefined;
  /** Default: as long as it takes. */
  readonly timeoutMs?: number;
}

/**
 * Asks a process of its own, which may hand files to native code: a crash there becomes an error here.
 *
 * @param entry - The JavaScript file that the process runs; it calls `answerParent`.
 * @throws PithError the process's own; that of `onEnd`; `engine` when time is up; `cancelled` when the
 *   signal fires.
 */
export function askChild<T>(
  entry: URL,
  task: object,
  { onEnd, signal, timeoutMs }: AskOptions,
): Promise<T> {
  const child = fork(entry, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said = keepLastWords(child);
  const stop = () => child.kill('SIGKILL');
  let timer: NodeJS.Timeout | undefined;
  return new Promise<T>((resolve, reject) => {
    child.once('message', (received) => {
      const answer = received as Answer;
      if ('value' in answer) return resolve(answer.value as T);
      const { code, message, hint } = answer.error;
      reject(new PithError(code, message, hint));
    });
    child.once('error', (cause) => {
      reject(
        new PithError('engine', `Node.js does not start: ${cause.message}`, undefined, { cause }),
      );
    });
    child.once('close', (code, killedBy) => {
      const isStopped = signal?.aborted || killedBy === 'SIGINT' || killedBy === 'SIGTERM';
      reject(isStopped ? stopped() : onEnd(killedBy ?? `code ${code}`, said()));
    });
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => {
        reject(new PithError('engine', `No answer came within ${timeoutMs / 1000} s.`));
        stop();
      }, timeoutMs);
    }
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    child.send(task, () => undefined);
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  });
}

function stopped(): PithError {
  return new PithError('cancelled', 'Stopped before the process had answered.');
}

/** For {@link AskOptions.onEnd}: what llama.cpp said when it crashed on a file. */
export function crashedOn(path: string): AskOptions['onEnd'] {
  return (how, said) => {
    const reason = /GGML_(?:ASSERT|ABORT)\(.*\) failed|(?<=what\(\): +)\S.*/.exec(said)?.[0];
    return new PithError(
      'engine',
      `llama.cpp crashed on ${path} (${[how, reason].filter(Boolean).join(': ')}).`,
      'The file contradicts itself, or needs another llama.cpp: convert the model again.',
    );
  };
}

const keptCharacters = 8192;

/** Collects the end of what a process writes to stderr. */
function keepLastWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-keptCharacters);
  });
  return () => words;
}

/**
 * In the process that `askChild` started: does the one task that comes and ends with its answer,
 * without closing anything, as what the system takes back needs no care.
 */
export function answerParent<Task>(work: (task: Task) => Promise<unknown>): void {
  process.once('disconnect', () => process.exit());
  process.once('message', (task) => {
    void answer(() => work(task as Task)).then((given) =>
      process.send?.(given, () => process.exit()),
    );
  });
}

async function answer(work: () => Promise<unknown>): Promise<Answer> {
  try {
    return { value: await work() };
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof PithError))
      return { error: { code: 'engine', message, hint: undefined } };
    return { error: { code: error.code, message, hint: error.hint } };
  }
}
