import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isEncoder, mayRunInLlamaCpp } from '../models/architectures.ts';
import { openModel } from '../models/open.ts';
import { attempt } from '../storage/system-error.ts';
import { PithError } from '../util/errors.ts';

/**
 * The path of a model that llama.cpp can run: a `.gguf` file.
 *
 * @throws PithError `unsupported` for a Hugging Face folder or `sample`, with the exact command that
 * makes a GGUF file of it, for other files, and for models that make no text; `not-found`.
 */
export async function runnableModel(reference: string): Promise<string> {
  if (reference.toLowerCase().endsWith('.gguf')) {
    await requireTextModel(reference);
    return reference;
  }
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

async function requireTextModel(path: string): Promise<void> {
  await attempt('open', path, () => stat(path));
  const model = await openModel(path);
  await model.close();
  if (!isEncoder(model)) return;
  const engine = mayRunInLlamaCpp(model.architecture)
    ? ''
    : ' llama.cpp has no such architecture: only ONNX Runtime runs the model.';
  throw new PithError(
    'unsupported',
    `${path} is an encoder (${model.architecture}): it makes vectors, no text.${engine}`,
    `See what it is: pith inspect ${path}`,
  );
}
