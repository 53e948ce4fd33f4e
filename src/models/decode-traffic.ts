import { stackedExperts } from './expert-stacks.ts';
import { hyperParameter } from './hyper-parameters.ts';
import { kvCacheWidth } from './memory-estimate.ts';
import type { Model } from './model.ts';

/** Bytes that decoding one token reads from memory. */
export interface DecodeTraffic {
  readonly weightsBytes: number;
  /** Keys and values of the tokens before it; 0 when the model states no attention heads. */
  readonly kvCacheBytes: number;
  readonly totalBytes: number;
}

const kvCacheBytesPerNumber = 2;
/** Tables of which a token reads one row; `token_embd` too, where it is not the output as well. */
const lookups = ['position_embd.weight', 'token_types.weight', 'per_layer_token_embd.weight'];

/**
 * What one decoding step reads: every weight once, but of a lookup table a row and of experts the
 * share that a token is sent to; and the keys and values, 16-bit, of all tokens before it.
 *
 * Reading speed divided by this is the fastest that a step can be when nothing stays in a processor's
 * cache: a ceiling for batch 1.
 *
 * @param tensors - Of the model, or as a quantization plans them.
 */
export function decodeTraffic(
  model: Pick<Model, 'architecture' | 'metadata'>,
  tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly bytes: number;
  }[],
  contextTokens: number,
): DecodeTraffic {
  const isUntied = tensors.some(({ name }) => name === 'output.weight');
  const rowOnly = new Set(isUntied ? [...lookups, 'token_embd.weight'] : lookups);
  const used = hyperParameter(model, 'expert_used_count') ?? Infinity;
  const weightsBytes = tensors.reduce((sum, tensor) => {
    const { name, shape, bytes } = tensor;
    if (rowOnly.has(name)) return sum + bytes / (shape[0] ?? 1);
    const experts = stackedExperts(tensor) ?? 1;
    return sum + (bytes / experts) * Math.min(used, experts);
  }, 0);
  const kvCacheBytes = (kvCacheWidth(model) ?? 0) * kvCacheBytesPerNumber * contextTokens;
  return { weightsBytes, kvCacheBytes, totalBytes: weightsBytes + kvCacheBytes };
}
