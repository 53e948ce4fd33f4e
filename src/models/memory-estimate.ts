import { isEncoder } from './architectures.ts';
import { hyperParameter } from './hyper-parameters.ts';
import type { Model } from './model.ts';
import { summarize } from './summary.ts';

/** Memory that llama.cpp needs to run a model on the CPU, in bytes. */
export interface MemoryEstimate {
  readonly contextLength: number;
  readonly weightsBytes: number;
  /** Keys and values of every token, 16-bit. */
  readonly kvCacheBytes: number;
  /** Activations of one batch of the prompt. */
  readonly computeBytes: number;
  readonly totalBytes: number;
}

const cellsPerStep = 256;
const batchTokens = 512;

/**
 * Estimates the memory of a model at a context length; undefined when the model does not state its
 * attention shape, as state-space models do not.
 *
 * The KV cache is `Σ over layers of kvHeads · (keyLength + valueLength) · 2 bytes · cells`, the
 * context rounded up to 256. The compute part is a fit: the larger of the head's and the
 * feed-forward block's activations, in f32. Both equal the buffers that llama.cpp v0.5.0 reports for
 * two dense Llamas at five contexts. A mixture of experts, a sliding window or latent attention needs
 * less cache or other activations than this.
 */
export function estimateMemory(model: Model, contextLength: number): MemoryEstimate | undefined {
  const width = hyperParameter(model, 'embedding_length');
  const kvWidth = kvCacheWidth(model);
  if (width === undefined || kvWidth === undefined) return undefined;
  const cells = Math.ceil(contextLength / cellsPerStep) * cellsPerStep;
  const { bytes: weightsBytes, vocabulary = 0 } = summarize(model);
  const feedForward = hyperParameter(model, 'feed_forward_length') ?? 0;
  const perToken = Math.max(vocabulary + 2 * width, 3 * feedForward + 4 * width + cells / 2);
  const kvCacheBytes = kvWidth * 2 * cells;
  const computeBytes = Math.min(batchTokens, contextLength) * 4 * perToken;
  const totalBytes = weightsBytes + kvCacheBytes + computeBytes;
  return { contextLength, weightsBytes, kvCacheBytes, computeBytes, totalBytes };
}

/** Numbers that one token adds to the cache, all layers together; 0 for an encoder, undefined without attention heads. */
export function kvCacheWidth(model: Pick<Model, 'architecture' | 'metadata'>): number | undefined {
  const layers = hyperParameter(model, 'block_count');
  const heads = hyperParameter(model, 'attention.head_count');
  const width = hyperParameter(model, 'embedding_length');
  if (!layers || !heads || !width) return undefined;
  if (isEncoder(model)) return 0;
  const keyLength = hyperParameter(model, 'attention.key_length') ?? width / heads;
  const valueLength = hyperParameter(model, 'attention.value_length') ?? width / heads;
  return kvHeadsOfAllLayers(model, layers, heads) * (keyLength + valueLength);
}

/** KV heads may be one number, or a list with one a layer. */
function kvHeadsOfAllLayers(
  model: Pick<Model, 'architecture' | 'metadata'>,
  layers: number,
  heads: number,
): number {
  const entry = model.metadata.get(`${model.architecture}.attention.head_count_kv`);
  if (entry?.type === 'array') {
    return Array.from(entry.value, Number).reduce((total, kvHeads) => total + kvHeads, 0);
  }
  return layers * (hyperParameter(model, 'attention.head_count_kv') ?? heads);
}
