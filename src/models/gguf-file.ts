import { dirname, join } from 'node:path';
import { openSplitGguf, type SplitGguf } from '../formats/gguf/split.ts';
import { openFile } from '../storage/file-source.ts';
import { closeOnFailure } from '../util/closing.ts';
import { PithError } from '../util/errors.ts';
import type { Model } from './model.ts';

/**
 * Opens a GGUF file, or a split model by its first part, as a `Model`: keys and tensors of whatever
 * architecture as they are.
 *
 * @throws {@link PithError} `unsupported` when the file holds something other than a model, and what
 *   {@link openSplitGguf} throws.
 */
export async function openGgufModel(path: string): Promise<Model> {
  const file = await openSplitGguf(await openFile(path), (part) =>
    openFile(join(dirname(path), part)),
  );
  return closeOnFailure(file, () => Promise.resolve(ggufModel(file)));
}

function ggufModel(file: SplitGguf): Model {
  const kind = textAt(file, 'general.type') ?? 'model';
  const architecture = textAt(file, 'general.architecture');
  if (kind !== 'model' || architecture === undefined) {
    throw new PithError(
      'unsupported',
      `${file.name} is a GGUF file of type ${kind} and architecture ${architecture ?? 'unknown'}, ` +
        'not a model.',
      'Give the GGUF file of the model itself.',
    );
  }
  return {
    source: file.name,
    files: file.parts.map(({ name }) => name),
    architecture,
    metadata: file.metadata,
    tensors: file.tensors,
    notes: [],
    close: () => file.close(),
  };
}

function textAt(file: SplitGguf, key: string): string | undefined {
  const entry = file.metadata.get(key);
  return entry?.type === 'string' ? entry.value : undefined;
}
