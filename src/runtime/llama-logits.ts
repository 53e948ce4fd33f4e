import type { ControlledEvaluateInputItem, LlamaContextSequence, Token } from 'node-llama-cpp';
import { PithError } from '../util/errors.ts';
import { engineError } from './llama-library.ts';
import { contextLengthOf, createContext, loadModel, type LoadOptions } from './llama-model.ts';

/** How to open a model for its predictions. */
export interface LlamaLogitsOptions extends LoadOptions {
  /** Tokens of the longest text. Default: what the model was trained on, at most 4096. */
  readonly contextLength?: number | undefined;
  /** Texts that are computed together, 1 to 4; each has a key/value cache of its own. Default 2. */
  readonly sequences?: number | undefined;
}

/** What is wanted of the prediction after one token. */
export interface LogitRequest {
  /** Tokens whose logits are wanted, beside the likeliest. */
  readonly tokens: readonly number[];
  /** How many of the likeliest tokens are wanted; from 1 on, the whole vocabulary is sorted. */
  readonly top: number;
}

/** What llama.cpp predicts after one token. */
export interface Prediction {
  /** The likeliest token. */
  readonly best: number;
  /** The wanted logits by token: the `top` likeliest first, then the others; `best` is there. */
  readonly logits: ReadonlyMap<number, number>;
  /** Σ exp(logit − largest logit) over the vocabulary, which llama.cpp adds up in 32 bits. */
  readonly totalWeight: number;
}

/** A GGUF model in llama.cpp that tells its logits. */
export interface LlamaLogits {
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly device: string;
  readonly threads: number;
  /**
   * Predicts after the last `requests.length` of `tokens`; texts asked for at once are computed
   * together.
   *
   * @throws PithError `engine`; the signal's reason, checked every few hundred tokens.
   */
  predict(
    tokens: Int32Array,
    requests: readonly LogitRequest[],
    signal?: AbortSignal,
  ): Promise<Prediction[]>;
  close(): Promise<void>;
}

/** Tokens that all sequences together compute at once: llama.cpp's own default (`--ubatch-size`). */
const batchTokens = 512;
const defaultSequences = 2;
/**
 * Texts are filled up to multiples of this: llama.cpp's repacked kernels take four tokens at once, and
 * round the activations of what is left over otherwise, which moved a token's ln P by 0.036.
 */
const tokensAtOnce = 4;

/**
 * Opens a GGUF file in llama.cpp to read predictions: flash attention and key/value cache as
 * `llama-perplexity` has them by default.
 *
 * A file that contradicts itself can crash the process; commands run this in one of its own.
 *
 * @throws PithError as `openLlama`.
 */
export async function openLlamaLogits(
  path: string,
  options: LlamaLogitsOptions = {},
): Promise<LlamaLogits> {
  const { started, model, metadata } = await loadModel(path, options, false);
  const { llama, log } = started;
  try {
    const sequences = options.sequences ?? defaultSequences;
    const contextLength = contextLengthOf(model, options.contextLength);
    const context = await createContext(
      model,
      { contextSize: contextLength + tokensAtOnce, sequences, batchSize: batchTokens },
      log,
    );
    const pool = new Pool(Array.from({ length: sequences }, () => context.getSequence()));
    const stepTokens = tokensAtOnce * Math.floor(batchTokens / sequences / tokensAtOnce);
    const tokens = metadata.get('tokenizer.ggml.tokens');
    return {
      vocabulary: tokens?.type === 'array' ? tokens.value.length : 0,
      contextLength,
      device: llama.gpu === false ? 'cpu' : llama.gpu,
      threads: llama.maxThreads,
      predict: (text, requests, signal) =>
        pool.use((sequence) =>
          predict(sequence, inputs(text, requests), { stepTokens, signal, log }),
        ),
      close: () => llama.dispose(),
    };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

interface PredictOptions {
  readonly stepTokens: number;
  readonly signal: AbortSignal | undefined;
  readonly log: readonly string[];
}

/** Steps of one size, whatever else is computed: the same text then gives the same numbers. */
async function predict(
  sequence: LlamaContextSequence,
  input: ControlledEvaluateInputItem[],
  { stepTokens, signal, log }: PredictOptions,
): Promise<Prediction[]> {
  const found: Prediction[] = [];
  try {
    await sequence.clearHistory();
    for (let at = 0; at < input.length; at += stepTokens) {
      signal?.throwIfAborted();
      const step = input.slice(at, at + stepTokens);
      const outputs = await sequence.controlledEvaluate(step, {
        contextShift: { strategy: refuseShift },
      });
      // Sparse: there are outputs only where something was asked for.
      outputs.forEach((output) => {
        const { token, logits, totalLogitWeight } = output!.next;
        found.push({ best: token!, logits: logits!, totalWeight: totalLogitWeight! });
      });
    }
    return found;
  } catch (error) {
    signal?.throwIfAborted();
    throw engineError('llama.cpp failed while predicting', error, log);
  }
}

function refuseShift(): never {
  throw new PithError('engine', 'llama.cpp wanted to drop a part of the context.');
}

function inputs(
  tokens: Int32Array,
  requests: readonly LogitRequest[],
): ControlledEvaluateInputItem[] {
  const from = tokens.length - requests.length;
  const length = Math.ceil(tokens.length / tokensAtOnce) * tokensAtOnce;
  return Array.from({ length }, (_, at) => {
    const token = (tokens[at] ?? tokens[0]!) as Token;
    const request = requests[at - from];
    return request ? [token, { generateNext: wanted(request) }] : token;
  });
}

/**
 * At temperature 0 nothing is cut from the distribution and the selected token is the likeliest:
 * its logit comes without the sort that `includeTop` costs. (`includeMax` gives nothing in 3.22.1.)
 */
function wanted({ tokens, top }: LogitRequest) {
  const filter = { tokens: tokens as Token[], includeSelected: true, includeTop: top };
  return {
    token: true,
    totalLogitWeight: true,
    logits: { filter },
    options: { temperature: 0 },
  };
}

/** Lends out sequences, first come, first served. */
class Pool {
  readonly #free: LlamaContextSequence[];
  readonly #waiting: ((sequence: LlamaContextSequence) => void)[] = [];

  constructor(sequences: LlamaContextSequence[]) {
    this.#free = sequences;
  }

  async use<T>(work: (sequence: LlamaContextSequence) => Promise<T>): Promise<T> {
    const sequence =
      this.#free.pop() ??
      (await new Promise<LlamaContextSequence>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(sequence);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(sequence);
      else this.#free.push(sequence);
    }
  }
}
