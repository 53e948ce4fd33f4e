import { PithError } from '../../util/errors.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { Family } from './family.ts';
import { bert } from './bert.ts';
import { distilbert } from './distilbert.ts';
import { gemma } from './gemma.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { mixtral } from './mixtral.ts';
import { mobilebert } from './mobilebert.ts';
import { phi } from './phi.ts';
import { phi3 } from './phi3.ts';
import { qwen2Moe } from './qwen2-moe.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3Moe } from './qwen3-moe.ts';
import { qwen3 } from './qwen3.ts';
import { stablelm } from './stablelm.ts';

/** Every family that Pith converts from Hugging Face. */
export const families: readonly Family[] = [
  llama,
  mistral,
  mixtral,
  qwen2,
  qwen2Moe,
  qwen3,
  qwen3Moe,
  phi,
  phi3,
  gemma,
  gemma2,
  gemma3,
  stablelm,
  gpt2,
  bert,
  distilbert,
  mobilebert,
];

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
