import { availableParallelism } from 'node:os';
import type { LlamaContext, LlamaModel, Token } from 'node-llama-cpp';
import type { Metadata } from '../formats/gguf/metadata.ts';
import { PithError } from '../util/errors.ts';
import {
  generateTokens,
  type Decoder,
  type GenerateOptions,
  type Generation,
} from './llama-generate.ts';
import { checkGguf, engineError, startLlama, type StartedLlama } from './llama-library.ts';
import { vocabularyOf, type LlamaVocabulary } from './llama-vocabulary.ts';
import { fastestThreads } from './thread-search.ts';

export type { GenerateOptions, Generation, StopReason } from './llama-generate.ts';
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

const longestDefaultContext = 4096;
const longestContext = 2 ** 31 - 1;

interface Opened {
  readonly started: StartedLlama;
  readonly model: LlamaModel;
  readonly metadata: Metadata;
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
  const { started, model, metadata } = await loadModel(path, options, false);
  const { llama, log } = started;
  try {
    const contextLength = contextLengthOf(model, options.contextLength);
    const context = await createContext(model, contextLength, log);
    const decoder: Decoder = { sequence: context.getSequence(), contextLength, log };
    if (options.threads === undefined && llama.gpu === false) {
      llama.maxThreads = await searchThreads(decoder);
    }
    const vocabulary = vocabularyOf(model, metadata, () => llama.dispose());
    return {
      ...vocabulary,
      contextLength,
      threads: llama.maxThreads,
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

async function loadModel(
  path: string,
  { gpu = false, threads, signal }: LlamaOptions,
  vocabOnly: boolean,
): Promise<Opened> {
  const metadata = await checkGguf(path);
  const started = await startLlama(gpu, threads ?? availableParallelism());
  try {
    const model = await started.llama.loadModel({
      modelPath: path,
      vocabOnly,
      ...(signal && { loadSignal: signal }),
    });
    return { started, model, metadata };
  } catch (error) {
    await started.llama.dispose();
    signal?.throwIfAborted();
    throw engineError(`llama.cpp does not load ${path}`, error, started.log);
  }
}

function contextLengthOf(model: LlamaModel, wanted: number | undefined): number {
  // llama.cpp keeps 32 bits and gives them out with a sign.
  const trained = model.trainContextSize >>> 0;
  if (trained < 1 || trained > longestContext) {
    throw new PithError(
      'corrupt',
      `The file states a trained context of ${trained} tokens; from 1 to ${longestContext} are possible.`,
      'Convert the model again from its original files.',
    );
  }
  if (wanted === undefined) return Math.min(trained, longestDefaultContext);
  if (wanted <= trained) return wanted;
  throw new PithError(
    'usage',
    `A context of ${wanted} tokens is longer than the ${trained} the model was trained on.`,
    `Use --context ${trained} or less.`,
  );
}

async function createContext(
  model: LlamaModel,
  contextSize: number,
  log: readonly string[],
): Promise<LlamaContext> {
  try {
    return await model.createContext({ contextSize });
  } catch (error) {
    const what = `llama.cpp cannot make a context of ${contextSize} tokens`;
    const smaller = Math.max(1, Math.floor(contextSize / 2));
    throw engineError(what, error, log, `Try less memory: --context ${smaller}.`);
  }
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
