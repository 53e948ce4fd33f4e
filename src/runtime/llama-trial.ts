import { fork, type ChildProcess } from 'node:child_process';
import { PithError, type ErrorCode } from '../util/errors.ts';
import type { Generation } from './llama.ts';

/** What to try with a GGUF file. */
export interface LlamaTrialTask {
  readonly path: string;
  /** Texts to cut into tokens, special tokens not recognised. */
  readonly texts: readonly string[];
  /** Greedy tokens to generate after the token that opens a document; 0 leaves the weights alone. */
  readonly maxTokens: number;
}

/** A text as llama.cpp sees it. */
export interface TriedText {
  readonly tokens: readonly number[];
  /** What the tokens become again. */
  readonly text: string;
}

/** The parts of a trial, in the order in which they come; each fails by itself. */
export interface LlamaTrial {
  readonly texts: Promise<readonly TriedText[]>;
  readonly generation: Promise<Generation>;
}

/** What the process that tries tells the one that asked. */
export type TrialMessage =
  | { readonly part: 'texts'; readonly value: readonly TriedText[] }
  | { readonly part: 'generation'; readonly value: Generation }
  | { readonly part: keyof LlamaTrial; readonly error: TrialError };

interface TrialError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

/**
 * Tries a GGUF file in llama.cpp, in a process of its own: llama.cpp aborts on many contradictions
 * between a file's tokenizer, hyper-parameters and tensors, and takes its process with it.
 *
 * @returns Promises that reject with `engine` when llama.cpp refuses the file or crashes on it,
 * `engine-missing`, `cancelled` when the signal fires, and what `checkGguf` throws.
 */
export function tryLlama(task: LlamaTrialTask, signal?: AbortSignal): LlamaTrial {
  const child = fork(new URL('./llama-trial-child.js', import.meta.url), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const said = keepLastWords(child);
  const texts = new Pending<readonly TriedText[]>();
  const generation = new Pending<Generation>();
  const fail = (error: PithError) => {
    texts.reject(error);
    generation.reject(error);
  };
  const stop = () => child.kill('SIGKILL');
  child.on('message', (received) => {
    const message = received as TrialMessage;
    if ('error' in message) {
      const { code, message: text, hint } = message.error;
      const pending = message.part === 'texts' ? texts : generation;
      pending.reject(new PithError(code, text, hint));
    } else if (message.part === 'texts') texts.resolve(message.value);
    else generation.resolve(message.value);
  });
  child.once('error', (cause) => {
    fail(
      new PithError('engine', `llama.cpp does not start: ${cause.message}`, undefined, { cause }),
    );
  });
  child.once('close', (code, killedBy) => {
    signal?.removeEventListener('abort', stop);
    const isStopped = signal?.aborted || killedBy === 'SIGINT' || killedBy === 'SIGTERM';
    fail(
      isStopped
        ? new PithError('cancelled', 'Stopped.')
        : engineCrashed(task.path, killedBy ?? `code ${code}`, said()),
    );
  });
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  child.send(task, () => undefined);
  return { texts: texts.promise, generation: generation.promise };
}

/**
 * The error for a process that native code ended.
 *
 * @param how - The signal or exit code.
 * @param said - What it wrote to stderr.
 */
export function engineCrashed(path: string, how: string, said: string): PithError {
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

/** A promise to be settled later; a rejection that nobody waits for is none. */
class Pending<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined);
  }
}
