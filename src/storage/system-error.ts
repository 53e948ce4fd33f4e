import { PithError, type ErrorCode } from '../util/errors.ts';

/** What the operating system's error names mean to a user. */
const meanings: Record<string, readonly [ErrorCode, string, string]> = {
  ENOENT: ['not-found', 'it does not exist', 'Check the path.'],
  ENOTDIR: ['not-found', 'a part of the path is a file, not a folder', 'Check the path.'],
  EEXIST: ['io', 'a file is in its place', 'Choose another name, or remove the file.'],
  EISDIR: ['io', 'it is a folder', 'Give the path of a file.'],
  EACCES: ['no-permission', 'permission denied', 'Check who owns it, or choose another folder.'],
  EPERM: ['no-permission', 'not permitted', 'Check who owns it, or choose another folder.'],
  EROFS: ['no-permission', 'the disk is read-only', 'Choose a folder on another disk.'],
  ENOSPC: ['no-space', 'the disk is full', 'Free some space, then run the same command again.'],
  EDQUOT: ['no-space', 'the disk quota is used up', 'Free some space, then run the command again.'],
  EFBIG: ['no-space', 'the file system does not take files this large', 'Choose another disk.'],
  ELOOP: ['io', 'its links lead in a circle', 'Give the path of the file itself.'],
  ENAMETOOLONG: ['io', 'the name is too long', 'Choose a shorter name.'],
  EMFILE: ['io', 'too many files are open', 'Raise the limit: ulimit -n 4096.'],
};

const checkDisk = 'Check the disk and the path, then run the same command again.';

/**
 * The `PithError` for a failed system call.
 *
 * @param action - What was tried, to follow "Cannot": `open`, `write the output`.
 * @param detail - Numbers that help, for example how many bytes were written.
 */
export function systemError(error: unknown, action: string, path: string, detail = ''): PithError {
  if (error instanceof PithError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const [kind, meaning, hint] = meanings[code ?? ''] ?? ['io', message, checkDisk];
  const text = `Cannot ${action} ${path}: ${meaning}${detail && ` (${detail})`}.`;
  return new PithError(kind, text, hint, { cause: error });
}

/** For `catch`: nothing in place of what does not exist; other errors are thrown on. */
export function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** Runs a system call and turns its failure into a `PithError`. */
export async function attempt<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw systemError(error, action, path);
  }
}
