import type { Token } from 'node-llama-cpp';
import {
  generateTokens,
  type Decoder,
  type GenerateOptions,
  type Generation,
} from './llama-generate.ts';
import { engineError } from './llama-library.ts';
import { contextLengthOf, createContext, loadModel } from './llama-model.ts';
import { vocabularyOf, type LlamaVocabulary } from './llama-vocabulary.ts';
import { fastestThreads } from './thread-search.ts';

export type { GenerateOptions, Generation } from './llama-generate.ts';
export type { LlamaVocabulary } from './llama-vocabulary.ts';

/** How to open a model. */
export interface LlamaOptions {
  /** Threads that decode. Default: the fastest of all, half, a quarter ... of the cores, tried. */
  readonly threads?: number | undefined;
  /** Tokens of prompt and answer together. Default: what the model was trained on, at most 4096. */
  readonly contextLength?: number | undefined;
  /** `auto` uses a GPU that llama.cpp finds; default false: the CPU alone. */
  readonly gpu?: 'auto' | false;
  readonly signal?: AbortSignal;
}

/** A GGUF model in llama.cpp, ready to generate. */
export interface LlamaEngine extends LlamaVocabulary {
  /** Tokens of prompt and answer together. */
  readonly contextLength: number;
  readonly threads: number;
  /** Milliseconds to start llama.cpp, load the weights and make the context; a file that was read before loads faster. */
  readonly loadMs: number;
  /** `metal`, `cuda`, `vulkan`, or `cpu`. */
  readonly device: string;
  /**
   * Continues a prompt; see {@link GenerateOptions}.
   *
   * A text becomes tokens by `promptTokens`; a list of tokens is taken as it is. The same prompt,
   * options and thread count give the same tokens.
   *
   * @throws PithError `usage` for an empty prompt or one longer than the context, with both numbers;
   * `engine` when llama.cpp fails.
   */
  generate(prompt: string | readonly number[], options: GenerateOptions): Promise<Generation>;
}

/**
 * Opens a GGUF file in llama.cpp with its weights.
 *
 * A file that contradicts itself can still crash the process: `tryLlama` meets it in another one.
 *
 * @throws PithError what `checkGguf` throws for a bad file; `usage` for a context longer than the
 * model was trained on; `engine` when node-llama-cpp is missing or llama.cpp refuses the model.
 */
export async function openLlama(path: string, options: LlamaOptions = {}): Promise<LlamaEngine> {
  const begun = performance.now();
  const { started, model, metadata } = await loadModel(path, options, false);
  const { llama, log } = started;
  try {
    const contextLength = contextLengthOf(model, options.contextLength);
    const context = await createContext(model, { contextSize: contextLength }, log);
    const loadMs = performance.now() - begun;
    const decoder: Decoder = { sequence: context.getSequence(), contextLength, log };
    if (options.threads === undefined && llama.gpu === false) {
      llama.maxThreads = await searchThreads(decoder);
    }
    const vocabulary = vocabularyOf(model, metadata, () => llama.dispose());
    return {
      ...vocabulary,
      contextLength,
      threads: llama.maxThreads,
      loadMs,
      device: llama.gpu === false ? 'cpu' : llama.gpu,
      generate(prompt, settings) {
        const tokens = typeof prompt === 'string' ? vocabulary.promptTokens(prompt) : prompt;
        return generateTokens(decoder, tokens, settings);
      },
    };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

/**
 * Opens only the tokenizer of a GGUF file in llama.cpp; no weights are read.
 *
 * @throws PithError as `openLlama`.
 */
export async function openLlamaVocabulary(path: string): Promise<LlamaVocabulary> {
  const { model, metadata, started } = await loadModel(path, {}, true);
  return vocabularyOf(model, metadata, () => started.llama.dispose());
}

/** Times decoding steps on the context, then empties it again. */
async function searchThreads({ sequence, log }: Decoder): Promise<number> {
  const { llama, tokens, size: weightBytes } = sequence.model;
  const token = tokens.bos ?? (0 as Token);
  try {
    const limits = { most: llama.maxThreads, weightBytes };
    const threads = await fastestThreads(limits, async (count) => {
      llama.maxThreads = count;
      if (sequence.nextTokenIndex > 1) await sequence.clearHistory();
      await sequence.evaluateWithoutGeneratingNewTokens([token]);
    });
    await sequence.clearHistory();
    return threads;
  } catch (error) {
    throw engineError('llama.cpp cannot decode a token', error, log);
  }
}
