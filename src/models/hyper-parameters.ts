import type { Model } from './model.ts';

/**
 * A numeric hyper-parameter by its GGUF key without the architecture, for example
 * `attention.head_count`; of a list with one number a layer, the first. Undefined when the model
 * does not state it.
 */
export function hyperParameter(
  model: Pick<Model, 'architecture' | 'metadata'>,
  key: string,
): number | undefined {
  const entry = model.metadata.get(`${model.architecture}.${key}`);
  const value = entry?.type === 'array' ? entry.value[0] : entry?.value;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
