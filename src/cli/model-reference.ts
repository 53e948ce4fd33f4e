import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { attempt } from '../storage/system-error.ts';
import { PithError } from '../util/errors.ts';

/**
 * The path of a model that llama.cpp can run: a `.gguf` file.
 *
 * @throws PithError `unsupported` for a Hugging Face folder or `sample`, with the exact command that
 * makes a GGUF file of it, and for other files; `not-found`.
 */
export async function runnableModel(reference: string): Promise<string> {
  if (reference.toLowerCase().endsWith('.gguf')) return reference;
  const isFolder =
    reference === 'sample' ||
    (await attempt('open', reference, () => stat(reference))).isDirectory();
  const file = `${basename(resolve(reference))}-q4_k_m.gguf`;
  throw new PithError(
    'unsupported',
    `Only a .gguf file can be run, and ${reference} is not one.`,
    isFolder
      ? `Make one: pith quantize ${reference} --type Q4_K_M -o ${file}`
      : 'Give a .gguf file, or make one of a Hugging Face folder with pith quantize.',
  );
}
