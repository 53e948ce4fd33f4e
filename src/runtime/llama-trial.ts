import { askChild, crashedOn } from './ask-child.ts';
import type { Generation } from './llama.ts';

/** What a process that tries a file is asked. */
export type TrialTask =
  | { readonly kind: 'texts'; readonly path: string; readonly texts: readonly string[] }
  | { readonly kind: 'generation'; readonly path: string; readonly maxTokens: number }
  | {
      readonly kind: 'continuation';
      readonly path: string;
      readonly prompt: string;
      readonly maxTokens: number;
    };

/** A text as llama.cpp sees it. */
export interface TriedText {
  readonly tokens: readonly number[];
  /** What the tokens become again. */
  readonly text: string;
}

/** How a model goes on with a text, likeliest token by likeliest token. */
export interface Continuation {
  /** Text of each token; one that ends inside a character has none, its text comes with the next. */
  readonly tokens: readonly string[];
  /** Of node-llama-cpp. */
  readonly version: string;
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

/**
 * Lets a GGUF file continue a text, greedily on one thread, in a process as `tryTexts` does.
 *
 * @throws PithError as `tryTexts`; `usage` for an empty prompt or one longer than the context.
 */
export function tryContinuation(
  path: string,
  prompt: string,
  { maxTokens, signal }: { readonly maxTokens: number; readonly signal?: AbortSignal | undefined },
): Promise<Continuation> {
  return ask({ kind: 'continuation', path, prompt, maxTokens }, signal);
}

function ask<T>(task: TrialTask, signal: AbortSignal | undefined): Promise<T> {
  const options = { onEnd: crashedOn(task.path), signal };
  return askChild(new URL('./llama-trial-child.js', import.meta.url), task, options);
}
