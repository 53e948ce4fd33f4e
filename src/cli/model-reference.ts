import { basename } from 'node:path';
import { PithError } from '../util/errors.ts';

/**
 * The path of a model that llama.cpp can run.
 *
 * @throws PithError `unsupported` for a Hugging Face folder or `sample`, with the exact command that
 * makes a GGUF file of it.
 */
export function runnableModel(reference: string): string {
  if (reference.toLowerCase().endsWith('.gguf')) return reference;
  const file = `${basename(reference) || 'model'}-q4_k_m.gguf`;
  throw new PithError(
    'unsupported',
    `Only a .gguf file can be run, and ${reference} is not one.`,
    `Make one: pith quantize ${reference} --type Q4_K_M -o ${file}`,
  );
}
