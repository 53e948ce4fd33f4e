import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { Family } from './family.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

/** Every family that Pith converts from Hugging Face. */
export const families: readonly Family[] = [llama, mistral, qwen2, qwen3];

/**
 * The family of a `model_type`.
 *
 * @throws {@link PithError} `unsupported` with the families there are and the nearest name.
 */
export function familyOf(modelType: unknown): Family {
  const family = families.find((candidate) => candidate.modelType === modelType);
  if (family) return family;
  const names = families.map((candidate) => candidate.modelType);
  const nearest = nearestName(String(modelType), names);
  throw new PithError(
    'unsupported',
    `config.json has the model_type ${JSON.stringify(modelType)}; Pith converts ${names.join(', ')}.`,
    `${nearest ? `The nearest is ${nearest}. ` : ''}A GGUF of the model can be used with any architecture.`,
  );
}
