import { fork, type ChildProcess } from 'node:child_process';
import { PithError, type ErrorCode } from '../util/errors.ts';
import type { Generation } from './llama.ts';

/** What a process that tries a file is asked. */
export type TrialTask =
  | { readonly kind: 'texts'; readonly path: string; readonly texts: readonly string[] }
  | { readonly kind: 'generation'; readonly path: string; readonly maxTokens: number };

/** What it answers: a value of the kind that the task asks for, or the error that it met. */
export type TrialAnswer =
  | { readonly value: unknown }
  | {
      readonly error: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint: string | undefined;
      };
    };

/** A text as llama.cpp sees it. */
export interface TriedText {
  readonly tokens: readonly number[];
  /** What the tokens become again. */
  readonly text: string;
}

/**
 * Lets the tokenizer of a GGUF file cut texts, special tokens not recognised; no weights are read.
 *
 * llama.cpp runs in a process of its own: it aborts on many contradictions between a file's
 * tokenizer, hyper-parameters and tensors, and takes its process with it.
 *
 * @throws PithError `engine` when llama.cpp refuses the file or crashes on it, `engine-missing`,
 * `cancelled` when the signal fires, and what `checkGguf` throws.
 */
export function tryTexts(
  path: string,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<readonly TriedText[]> {
  return ask({ kind: 'texts', path, texts }, signal);
}

/**
 * Lets a GGUF file continue the token that opens a document, greedily on one thread, in a process as
 * `tryTexts` does.
 *
 * @throws PithError as `tryTexts`.
 */
export function tryGeneration(
  path: string,
  maxTokens: number,
  signal?: AbortSignal,
): Promise<Generation> {
  return ask({ kind: 'generation', path, maxTokens }, signal);
}

function ask<T>(task: TrialTask, signal: AbortSignal | undefined): Promise<T> {
  const child = fork(new URL('./llama-trial-child.js', import.meta.url), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said = keepLastWords(child);
  const stop = () => child.kill('SIGKILL');
  return new Promise<T>((resolve, reject) => {
    child.once('message', (received) => {
      const answer = received as TrialAnswer;
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
      reject(isStopped ? stopped() : crashed(task.path, killedBy ?? `code ${code}`, said()));
    });
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    child.send(task, () => undefined);
  }).finally(() => signal?.removeEventListener('abort', stop));
}

function stopped(): PithError {
  return new PithError('cancelled', 'Stopped before llama.cpp had tried the file.');
}

/**
 * The error for a process that native code ended.
 *
 * @param how - The signal or exit code.
 * @param said - What it wrote to stderr.
 */
function crashed(path: string, how: string, said: string): PithError {
  const reason = /GGML_(?:ASSERT|ABORT)\(.*\) failed|(?<=what\(\): +)\S.*/.exec(said)?.[0];
  return new PithError(
    'engine',
    `llama.cpp crashed on ${path} (${[how, reason].filter(Boolean).join(': ')}).`,
    'The file contradicts itself, or needs another llama.cpp: convert the model again.',
  );
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
