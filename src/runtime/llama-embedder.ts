import type { LlamaEmbeddingContext } from 'node-llama-cpp';
import { PithError } from '../util/errors.ts';
import { engineError } from './llama-library.ts';
import { contextLengthOf, loadModel, type LoadOptions } from './llama-model.ts';

/** How to open a model for its vectors. */
export interface LlamaEmbedderOptions extends LoadOptions {
  /** Tokens after which texts are cut. Default: what the model was trained on, at most 4096. */
  readonly contextLength?: number | undefined;
}

/** A GGUF model in llama.cpp that turns texts into vectors. */
export interface LlamaEmbedder {
  readonly contextLength: number;
  readonly device: string;
  /**
   * The vector of a text, pooled as the file says.
   *
   * @throws PithError `engine` when llama.cpp fails.
   */
  embed(text: string): Promise<LlamaEmbedding>;
  close(): Promise<void>;
}

/** A vector, and whether its text had to be cut at the end. */
export interface LlamaEmbedding {
  readonly vector: Float32Array;
  readonly truncated: boolean;
}

/** What llama.cpp puts around a text: a token at each end. */
const edgeTokens = 2;

/**
 * Opens a GGUF file in llama.cpp to embed texts, one at a time.
 *
 * A file that contradicts itself can crash the process; commands run this in one of its own.
 *
 * @throws PithError as `openLlama`; `unsupported` for a file that does not say how it pools.
 */
export async function openLlamaEmbedder(
  path: string,
  options: LlamaEmbedderOptions = {},
): Promise<LlamaEmbedder> {
  const { started, model, metadata } = await loadModel(path, options, false);
  const { llama, log } = started;
  try {
    if (![...metadata.keys()].some((key) => key.endsWith('.pooling_type'))) throw noVectors(path);
    const contextLength = contextLengthOf(model, options.contextLength);
    // The context wants a token more than it uses; encoders read a text as one batch.
    const contextSize = contextLength + 1;
    const context = await model.createEmbeddingContext({ contextSize, batchSize: contextSize });
    return {
      contextLength,
      device: llama.gpu === false ? 'cpu' : llama.gpu,
      async embed(text) {
        const tokens = model.tokenize(text, false);
        const kept = tokens.slice(0, contextLength - edgeTokens);
        const vector = await vectorOf(context, kept, log);
        return { vector, truncated: kept.length < tokens.length };
      },
      close: () => llama.dispose(),
    };
  } catch (error) {
    await llama.dispose();
    if (error instanceof PithError) throw error;
    throw engineError(`llama.cpp cannot embed texts with ${path}`, error, log);
  }
}

type Tokens = Extract<
  Parameters<LlamaEmbeddingContext['getEmbeddingFor']>[0],
  readonly unknown[]
>[number][];

async function vectorOf(
  context: LlamaEmbeddingContext,
  tokens: Tokens,
  log: readonly string[],
): Promise<Float32Array> {
  try {
    const { vector } = await context.getEmbeddingFor(tokens);
    return Float32Array.from(vector);
  } catch (error) {
    throw engineError('llama.cpp failed while embedding', error, log);
  }
}

function noVectors(path: string): PithError {
  return new PithError(
    'unsupported',
    `${path} makes no vectors of texts: it does not say how to pool them (pooling_type).`,
    'Take an embedding model.',
  );
}
