import { stat } from 'node:fs/promises';
import { attempt } from '../storage/system-error.ts';
import { PithError } from '../util/errors.ts';

/** Size and time of each file, by path: what tells a changed file without reading it. */
export type FileStates = ReadonlyMap<string, string>;

/** Looks at files; throws `not-found` when one has gone. */
export async function fileStates(paths: readonly string[]): Promise<FileStates> {
  const states = new Map<string, string>();
  for (const path of paths) {
    const { size, mtimeNs } = await attempt('open', path, () => stat(path, { bigint: true }));
    states.set(path, `${size} bytes of ${mtimeNs}`);
  }
  return states;
}

/**
 * Looks at the files again.
 *
 * @throws {@link PithError} `conflict` naming one that was written to meanwhile.
 */
export async function requireUnchanged(before: FileStates): Promise<void> {
  const now = await fileStates([...before.keys()]);
  for (const [path, state] of before) {
    if (now.get(path) === state) continue;
    throw new PithError(
      'conflict',
      `${path} was changed while it was read; what came of it is thrown away.`,
      'Wait until nothing writes to it, then give the same command again.',
    );
  }
}
