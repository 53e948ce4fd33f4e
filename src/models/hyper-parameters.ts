import { PithError } from '../util/errors.ts';
import type { Model } from './model.ts';

type Keyed = Pick<Model, 'architecture' | 'metadata'>;

/**
 * A numeric hyper-parameter by its GGUF key without the architecture, for example
 * `attention.head_count`; of a list with one number a layer, the first. Undefined when the model
 * does not state it.
 */
export function hyperParameter(model: Keyed, key: string): number | undefined {
  return layerParameter(model, key, 0);
}

/** The same of one layer, where the model states one number a layer. */
export function layerParameter(model: Keyed, key: string, layer: number): number | undefined {
  const entry = model.metadata.get(`${model.architecture}.${key}`);
  const value = entry?.type === 'array' ? entry.value[layer] : entry?.value;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

/** A hyper-parameter without which the model cannot be run; throws PithError `corrupt` naming it. */
export function requiredParameter(model: Keyed, key: string): number {
  const value = hyperParameter(model, key);
  if (value !== undefined) return value;
  throw new PithError(
    'corrupt',
    `The model does not state ${model.architecture}.${key}.`,
    'Convert it again from its original, or get the file from another source.',
  );
}
