import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PithError } from '../util/errors.ts';
import { systemError } from '../storage/system-error.ts';
import { openGgufModel } from './gguf-file.ts';
import type { Model } from './model.ts';

/** The model in the box, seen from src/models/ as from dist/models/. */
const sampleFolder = fileURLToPath(new URL('../../models/sample', import.meta.url));

/** A model reference resolved to a Hugging Face folder or a GGUF file. */
export interface ModelLocation {
  readonly kind: 'folder' | 'gguf';
  readonly path: string;
}

/**
 * Opens a model for lazy reading: a Hugging Face folder, a `.gguf` file (the first part of a split
 * model opens the others), or `sample`, the model in the box.
 *
 * Headers and vocabulary are read and checked, weights are not. The caller closes the model.
 *
 * @throws {@link PithError} `not-found` when there is no such file or folder, `unsupported` for hub
 *   references and other kinds of files, and what the readers throw for damaged ones.
 */
export async function openModel(reference: string): Promise<Model> {
  const { kind, path } = await locateModel(reference);
  const model = kind === 'gguf' ? await openGgufModel(path) : await openFolder(path);
  return reference === 'sample' ? { ...model, source: reference } : model;
}

/** Loads the code that reads folders, with its tokenizers, only for one. */
async function openFolder(path: string): Promise<Model> {
  const { openHuggingFaceFolder } = await import('./hugging-face-folder.ts');
  return openHuggingFaceFolder(path);
}

/** Where a reference leads on this machine; throws as `openModel`, without opening the model. */
export async function locateModel(reference: string): Promise<ModelLocation> {
  if (reference === 'sample') return { kind: 'folder', path: sampleFolder };
  if (reference.startsWith('hf:')) throw hubReference(reference);
  if (await isFolderAt(reference)) return { kind: 'folder', path: reference };
  if (reference.toLowerCase().endsWith('.gguf')) return { kind: 'gguf', path: reference };
  throw new PithError(
    'unsupported',
    `${reference} is neither a folder nor a .gguf file.`,
    reference.endsWith('.safetensors')
      ? 'Give the folder that holds it together with config.json and the tokenizer.'
      : 'Give a Hugging Face folder, a .gguf file, or sample.',
  );
}

async function isFolderAt(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw systemError(error, 'open', path);
    throw new PithError(
      'not-found',
      `There is no model at ${path}.`,
      'Give a Hugging Face folder, a .gguf file, or sample for the model in the box.',
    );
  }
}

function hubReference(reference: string): PithError {
  const name = reference.slice('hf:'.length);
  return new PithError(
    'unsupported',
    `Pith does not download from the Hugging Face hub yet (${reference}).`,
    `Download the folder first, for example with: git clone https://huggingface.co/${name}`,
  );
}
