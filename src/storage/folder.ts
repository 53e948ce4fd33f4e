import { access, constants, mkdir, open, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PithError } from '../util/errors.ts';
import { attempt, ignoreMissing, systemError } from './system-error.ts';

/**
 * Makes a folder and those above it; one that is there already is kept.
 *
 * Node's own `recursive` never ends, and takes all memory, where a system refuses a folder without
 * saying why, as /proc does (Node 20 to 24).
 *
 * @throws {@link PithError} `io` where a file is in the way, `no-permission`, `not-found`, `no-space`.
 */
export function makeFolder(path: string): Promise<void> {
  return attempt('create the folder', path, () => makeWithParents(resolve(path)));
}

async function makeWithParents(path: string): Promise<void> {
  const parent = dirname(path);
  if (!(await exists(parent))) await makeWithParents(parent);
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isFolder(path))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(ignoreMissing)) !== undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * Makes a folder as `makeFolder`, and makes sure that files can be written into it.
 *
 * @throws {@link PithError} as `makeFolder`; `no-permission`.
 */
export async function makeWritableFolder(path: string): Promise<void> {
  await makeFolder(path);
  await attempt('write into', path, () => access(path, constants.W_OK));
}

/** Throws `not-found` unless the folder that `path` lies in exists. */
export async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    if ((await stat(folder)).isDirectory()) return;
    throw Object.assign(new Error('is a file'), { code: 'ENOTDIR' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw systemError(error, 'open', folder);
  }
  const problem = `Cannot write ${path}: the folder ${folder} does not exist.`;
  throw new PithError('not-found', problem, `Create it first: mkdir -p "${folder}"`);
}

/**
 * Throws `no-space` when the disk cannot take `bytes`, of which `reusable` are there already.
 * File systems that do not tell their size are not judged.
 */
export async function checkSpace(path: string, bytes: number, reusable: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(path));
  const free = bavail * bsize + reusable;
  if (blocks === 0 || bytes <= free) return;
  throw new PithError(
    'no-space',
    `${path} needs ${bytes} bytes, but the disk has ${free} free.`,
    `Free ${bytes - free} bytes more, or choose a folder on another disk.`,
  );
}

/** Makes a rename in the folder of `path` survive a power cut; Windows has no such call. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
