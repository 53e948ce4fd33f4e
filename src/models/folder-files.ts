import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tokenizerFileNames } from '../formats/tokenizer/files.ts';
import { openFile } from '../storage/file-source.ts';
import { attempt } from '../storage/system-error.ts';
import { PithError } from '../util/errors.ts';
import { modulesFile, poolingConfigFile } from './sentence-pooling.ts';

/** Larger files than this are no configuration, tokenizer or model card. */
const smallFileBytes = 2 ** 28;
const templateFolder = 'additional_chat_templates';

/**
 * Reads the small files of a folder that are there: configuration, tokenizer, templates, model card,
 * and what sentence-transformers does after the model.
 */
export async function readFolderFiles(folder: string): Promise<Map<string, Uint8Array>> {
  const names = new Set(await attempt('open', folder, () => readdir(folder)));
  const wanted = [...tokenizerFileNames, 'README.md', modulesFile].filter((name) =>
    names.has(name),
  );
  if (names.has(templateFolder)) {
    const templates = await attempt('open', folder, () => readdir(join(folder, templateFolder)));
    wanted.push(...templates.map((name) => `${templateFolder}/${name}`));
  }
  const files = new Map<string, Uint8Array>();
  for (const name of wanted) files.set(name, await readSmallFile(join(folder, name)));
  const pooling = poolingConfigFile(files);
  if (pooling) files.set(pooling, await readSmallFile(join(folder, pooling)));
  return files;
}

/** Reads a whole file that is expected to be small; throws `corrupt` for one over 256 MiB. */
export async function readSmallFile(path: string): Promise<Uint8Array> {
  const source = await openFile(path);
  try {
    if (source.byteLength <= smallFileBytes) return await source.read(0, source.byteLength);
    throw new PithError(
      'corrupt',
      `${path} has ${source.byteLength} bytes; Pith reads at most ${smallFileBytes} of such a file.`,
      'Get the file again from the model\u2019s source.',
    );
  } finally {
    await source.close();
  }
}
