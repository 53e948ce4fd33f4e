import { realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { locateModel } from '../../models/open.ts';
import { checkFolder } from '../../storage/folder.ts';
import { PithError } from '../../util/errors.ts';

/** Files of an output folder besides the models. */
export const resultNames = {
  evidence: 'evidence.gguf',
  steps: 'shrink.journal',
  recipe: 'recipe.yaml',
  report: 'report.json',
} as const;

/**
 * Refuses a folder whose results would mix with the model's files, or that cannot be made.
 *
 * @throws PithError `conflict` for the model's folder, one inside it and for a file; `not-found`, `no-permission`.
 */
export async function checkOutputFolder(output: string, reference: string): Promise<void> {
  const { kind, path } = await locateModel(reference);
  const found = await stat(output).catch(() => undefined);
  if (found && !found.isDirectory())
    throw new PithError('conflict', `${output} is a file.`, 'Name a folder: -o FOLDER.');
  if (!found) await checkFolder(resolve(output));
  if (kind === 'folder' && (await isInside(output, path)))
    throw new PithError(
      'conflict',
      `The output ${output} is in the folder of the model, ${path}.`,
      'Choose a folder outside of it.',
    );
}

/** Whether a path, which need not exist, is `folder` or in it. */
async function isInside(path: string, folder: string): Promise<boolean> {
  const way = relative(await realpath(folder), await realOf(resolve(path)));
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way);
}

async function realOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  return real ?? join(await realpath(join(path, '..')), path.slice(path.lastIndexOf(sep) + 1));
}

/**
 * Refuses to replace results of an earlier run.
 *
 * @throws PithError `conflict` naming the first file that is there.
 */
export async function refuseResults(output: string, files: readonly string[]): Promise<void> {
  const all = [...files, join(output, resultNames.recipe), join(output, resultNames.report)];
  for (const path of all) {
    if (!(await stat(path).catch(() => undefined))) continue;
    throw new PithError(
      'conflict',
      `${path} exists: ${output} holds the results of an earlier run.`,
      'Choose another folder, or say that they may be replaced (--force).',
    );
  }
}
