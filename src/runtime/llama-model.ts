import { availableParallelism } from 'node:os';
import type { LlamaContext, LlamaContextOptions, LlamaModel } from 'node-llama-cpp';
import type { Metadata } from '../formats/gguf/metadata.ts';
import { PithError } from '../util/errors.ts';
import { checkGguf, engineError, startLlama, type StartedLlama } from './llama-library.ts';

/** Where a model computes. */
export interface LoadOptions {
  /** Default: the cores this process may use. */
  readonly threads?: number | undefined;
  /** `auto` uses a GPU that llama.cpp finds; default false: the CPU alone. */
  readonly gpu?: 'auto' | false;
  readonly signal?: AbortSignal | undefined;
}

const longestDefaultContext = 4096;
const longestContext = 2 ** 31 - 1;

/** A loaded model, and the llama.cpp that holds it: disposing of that frees both. */
export interface Opened {
  readonly started: StartedLlama;
  readonly model: LlamaModel;
  readonly metadata: Metadata;
}

/**
 * Loads a GGUF file in a llama.cpp of its own, after Pith's reader has checked it.
 *
 * @param vocabOnly - Leaves the weights on disk.
 * @throws PithError what `checkGguf` throws; `engine` when llama.cpp refuses the file.
 */
export async function loadModel(
  path: string,
  { gpu = false, threads, signal }: LoadOptions,
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

/**
 * The context to make: what was wanted, or what the model was trained on, at most 4096 tokens.
 *
 * @throws PithError `usage` for more than it was trained on; `corrupt` when that is no number of tokens.
 */
export function contextLengthOf(model: LlamaModel, wanted: number | undefined): number {
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

/** @throws PithError `engine` with a smaller context as the hint, as memory is what mostly lacks. */
export async function createContext(
  model: LlamaModel,
  options: LlamaContextOptions & { readonly contextSize: number },
  log: readonly string[],
): Promise<LlamaContext> {
  const { contextSize } = options;
  try {
    return await model.createContext(options);
  } catch (error) {
    const what = `llama.cpp cannot make a context of ${contextSize} tokens`;
    const smaller = Math.max(1, Math.floor(contextSize / 2));
    throw engineError(what, error, log, `Try less memory: --context ${smaller}.`);
  }
}
