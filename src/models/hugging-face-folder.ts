import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { openSafetensors, type SafetensorsFile } from '../formats/safetensors/open.ts';
import { openShardedSafetensors } from '../formats/safetensors/sharded.ts';
import { readJson, readText } from '../formats/tokenizer/files.ts';
import { ggufVocabulary } from '../formats/tokenizer/gguf-vocabulary.ts';
import { openFile } from '../storage/file-source.ts';
import { attempt } from '../storage/system-error.ts';
import type { ByteSource } from '../util/byte-source.ts';
import { closeOnFailure } from '../util/closing.ts';
import { PithError } from '../util/errors.ts';
import { readFolderFiles, readSmallFile } from './folder-files.ts';
import { huggingFaceModel } from './hugging-face-model.ts';
import type { Model } from './model.ts';

const indexName = 'model.safetensors.index.json';

/**
 * Opens a folder as Hugging Face lays it out: config.json, safetensors (one file, or shards with
 * their index), tokenizer files and, where there, generation_config.json and README.md.
 *
 * @throws {@link PithError} `not-found` when a needed file is missing, `corrupt` when one is damaged,
 *   and what {@link huggingFaceModel} throws.
 */
export async function openHuggingFaceFolder(folder: string): Promise<Model> {
  const names = new Set(await attempt('open', folder, () => readdir(folder)));
  if (!names.has('config.json')) throw noConfig(folder, [...names]);
  const files = await readFolderFiles(folder);
  const opened: string[] = [];
  const open = (name: string) => {
    opened.push(join(folder, name));
    return openFile(join(folder, name));
  };
  const weights = await openWeights(folder, names, open);
  return closeOnFailure(weights, async () => {
    const vocabulary = ggufVocabulary(files);
    return huggingFaceModel({
      source: folder,
      files: opened,
      config: readJson(files, 'config.json'),
      tensors: weights.tensors,
      vocabulary: vocabulary.metadata,
      smallFiles: files,
      card: {
        folderName: basename(resolve(folder)),
        readme: readText(files, 'README.md'),
        generationConfig: readJson(files, 'generation_config.json'),
      },
      notes: vocabulary.notes,
      close: () => weights.close(),
    });
  });
}

async function openWeights(
  folder: string,
  names: ReadonlySet<string>,
  open: (name: string) => Promise<ByteSource>,
): Promise<SafetensorsFile> {
  if (names.has(indexName)) {
    const index = await readSmallFile(join(folder, indexName));
    const text = readText(new Map([[indexName, index]]), indexName)!;
    return openShardedSafetensors(text, open);
  }
  const source = await open(weightsName(folder, names));
  return closeOnFailure(source, () => openSafetensors(source));
}

function weightsName(folder: string, names: ReadonlySet<string>): string {
  const found = [...names].filter((name) => name.endsWith('.safetensors'));
  if (found.includes('model.safetensors')) return 'model.safetensors';
  if (found.length === 1) return found[0]!;
  const isPickled = [...names].some((name) => /^pytorch_model.*\.bin$/.test(name));
  throw new PithError(
    isPickled ? 'unsupported' : 'not-found',
    found.length > 1
      ? `${folder} has ${found.length} safetensors files, but no ${indexName}.`
      : `${folder} has no safetensors file${isPickled ? ', only pickled PyTorch weights' : ''}.`,
    isPickled
      ? 'Get a revision of the model with safetensors; loading pickles would run code from them.'
      : `Download model.safetensors, or ${indexName} with all its shards.`,
  );
}

function noConfig(folder: string, names: readonly string[]): PithError {
  const gguf = names.find((name) => name.endsWith('.gguf'));
  return new PithError(
    'not-found',
    `${folder} has no config.json.`,
    gguf
      ? `Give the GGUF file itself: ${join(folder, gguf)}`
      : 'Give a folder as Hugging Face lays it out: config.json, safetensors, tokenizer files.',
  );
}
