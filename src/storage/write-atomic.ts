import { open, rename, unlink } from 'node:fs/promises';
import { checkFolder, syncFolder } from './folder.ts';
import { systemError } from './system-error.ts';

/**
 * Writes a small file so that its name holds either the old content or all of the new one.
 *
 * @throws {@link PithError} `not-found`, `no-permission`, `no-space` or `io`.
 */
export async function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await checkFolder(path);
  const temporary = `${path}.${crypto.randomUUID()}.partial`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw systemError(error, 'write', path);
  }
}
