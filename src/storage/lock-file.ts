import { open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PithError } from '../util/errors.ts';
import { ignoreMissing } from './system-error.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When that process started, in the kernel's ticks; empty where the system does not say. */
  readonly started: string;
}

/** An unreadable lock is taken for one that is just being written until it is this old. */
const torn = { afterMs: 5000 };

/** A process killed in the middle of a sync takes this long to go; its lock is waited for. */
const patience = { ms: 2000, stepMs: 50 };

/**
 * Takes the lock file `path` for this process; returns a function that gives it back.
 *
 * A lock whose process is gone (by pid and start time, on this machine) is taken over.
 *
 * @throws {@link PithError} `conflict` while a living process, this one included, holds it, or one on
 * another machine may; else the system's own error.
 */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const own = JSON.stringify(thisProcess());
  const giveUpAt = Date.now() + patience.ms;
  for (;;) {
    try {
      await writeNew(path, own);
      return () => unlink(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (Date.now() < giveUpAt && (await isHeldElsewhere(path))) await sleep(patience.stepMs);
    else await removeStale(path);
  }
}

/** Another living process of this machine holds the lock. */
async function isHeldElsewhere(path: string): Promise<boolean> {
  const found = await readIfPresent(path);
  const holder = found === undefined ? undefined : parseHolder(found);
  const isOther = holder !== undefined && holder.pid !== process.pid && holder.host === hostname();
  return isOther && !(await isStale(found!, path));
}

/** Writes a file that must not exist yet; leaves none behind when the disk is full. */
async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
  } catch (error) {
    await unlink(path);
    throw error;
  } finally {
    await handle.close();
  }
}

/** Moves a stale lock aside, so that of several processes that find it only one succeeds. */
async function removeStale(path: string): Promise<void> {
  const found = await readIfPresent(path);
  if (found === undefined) return;
  if (!(await isStale(found, path))) throw held(path, found);
  const aside = `${path}.${crypto.randomUUID()}`;
  await rename(path, aside).catch(ignoreMissing);
  const moved = await readIfPresent(aside);
  await unlink(aside).catch(ignoreMissing);
  if (moved === undefined || moved === found) return;
  await writeFile(path, moved, { flag: 'wx' }).catch(() => undefined);
  throw held(path, moved);
}

function readIfPresent(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(ignoreMissing);
}

async function isStale(text: string, path: string): Promise<boolean> {
  const holder = parseHolder(text);
  if (!holder) {
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs > torn.afterMs;
  }
  if (holder.host !== hostname()) return false;
  return !isAlive(holder.pid) || startOf(holder.pid) !== holder.started;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isSafeInteger(pid) || host === undefined || started === undefined) return undefined;
    return { pid: pid!, host, started };
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function thisProcess(): Holder {
  return { pid: process.pid, host: hostname(), started: startOf(process.pid) };
}

/**
 * Field 22 of /proc/PID/stat, which tells two processes with one pid apart; a zombie, field 3 `Z`, has
 * ended.
 */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')')).split(' ');
    return fields[1] === 'Z' ? 'ended' : (fields[20] ?? '');
  } catch {
    return '';
  }
}

function held(path: string, text: string): PithError {
  const holder = parseHolder(text);
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new PithError(
    'conflict',
    `${path}: ${who} is writing this output.`,
    'Wait for it to end, or choose another output. If it is surely gone, delete this file.',
  );
}
