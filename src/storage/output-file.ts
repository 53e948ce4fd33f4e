import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { closeOnFailure } from '../util/closing.ts';
import { PithError } from '../util/errors.ts';
import { checkFolder, checkSpace } from './folder.ts';
import { journalLine, parseJournal, type CompletedStep } from './journal.ts';
import { acquireLock } from './lock-file.ts';
import { finishStep, OutputWriter, type Output } from './output-writer.ts';
import { attempt, ignoreMissing } from './system-error.ts';

/** What is to be written. */
export interface OutputPlan {
  /** Stands for everything that determines the bytes: inputs, options, version. */
  readonly planHash: string;
  readonly totalBytes: number;
  /** Also replace a finished file of that name. */
  readonly force?: boolean;
}

/** What an earlier process left behind. */
interface Unfinished {
  /** Empty, with a `journalBytes` of 0, when nothing can be continued. */
  readonly steps: readonly CompletedStep[];
  readonly journalBytes: number;
  readonly partialBytes: number;
  readonly restarted: boolean;
}

const nothing: Unfinished = { steps: [], journalBytes: 0, partialBytes: 0, restarted: false };

/**
 * Opens an output, continuing an unfinished one of the same plan.
 *
 * Bytes go to `PATH.partial`; a journal `PATH.journal` mentions them once they are synced to the
 * disk, so that kill −9 or a power cut at any moment leaves a place to resume at.
 *
 * @throws {@link PithError} `conflict` when the file exists (without `force`) or another process
 * writes it; `no-space` when the disk cannot hold `totalBytes`; `not-found` or `no-permission` for
 * the folder.
 */
export async function openOutput(path: string, plan: OutputPlan): Promise<Output> {
  await checkFolder(path);
  const release = await attempt('lock', path, () => acquireLock(`${path}.lock`));
  return closeOnFailure({ close: release }, () =>
    attempt('write', path, async () => {
      const found = await findUnfinished(path, plan);
      await refuseExisting(path, plan.force ?? false);
      await checkSpace(path, plan.totalBytes, found.partialBytes);
      return openFiles(path, plan, found, release);
    }),
  );
}

async function findUnfinished(path: string, plan: OutputPlan): Promise<Unfinished> {
  const text = await readFile(`${path}.journal`, 'utf8').catch(ignoreMissing);
  const journal = text === undefined ? undefined : parseJournal(text);
  const fits = journal?.planHash === plan.planHash && journal.totalBytes === plan.totalBytes;
  if (fits) await takeBackFinished(path, journal.steps.at(-1));
  const partialBytes = (await stat(`${path}.partial`).catch(ignoreMissing))?.size;
  if (partialBytes === undefined) return nothing;
  if (!fits || partialBytes < (journal.steps.at(-1)?.offset ?? 0)) {
    return { ...nothing, partialBytes, restarted: partialBytes > 0 };
  }
  const { steps, validBytes } = journal;
  return { steps, journalBytes: validBytes, partialBytes, restarted: false };
}

/**
 * A process that died after the rename and before the journal's removal leaves a complete file with
 * its journal: it becomes unfinished again, with nothing left to write.
 */
async function takeBackFinished(path: string, last: CompletedStep | undefined): Promise<void> {
  if (last?.step !== finishStep) return;
  const file = await stat(path).catch(ignoreMissing);
  if (file?.size === last.offset && file.ino === last.detail) await rename(path, `${path}.partial`);
}

/**
 * Refuses a path that an output could not be opened at, long before there is something to write.
 *
 * @throws {@link PithError} `conflict` when the file exists (without `force`) or is a folder.
 */
export async function refuseExisting(path: string, force: boolean): Promise<void> {
  const found = await stat(path).catch(ignoreMissing);
  if (found?.isDirectory()) throw isFolder(path);
  if (found === undefined || force) return;
  const hint = 'Choose another output, or say that it may be replaced (--force).';
  throw new PithError('conflict', `${path} exists.`, hint);
}

function isFolder(path: string): PithError {
  const hint = `Give the path of a file in it: ${join(path, 'model.gguf')}`;
  return new PithError('conflict', `${path} is a folder, no place for a file.`, hint);
}

async function openFiles(
  path: string,
  { planHash, totalBytes }: OutputPlan,
  { steps, journalBytes, restarted }: Unfinished,
  release: () => Promise<void>,
): Promise<Output> {
  const resumeOffset = steps.at(-1)?.offset ?? 0;
  const partial = await open(`${path}.partial`, journalBytes > 0 ? 'r+' : 'w');
  return closeOnFailure(partial, async () => {
    if (journalBytes > 0) await partial.truncate(resumeOffset);
    const journal = await open(`${path}.journal`, journalBytes > 0 ? 'r+' : 'w');
    return closeOnFailure(journal, async () => {
      const head = journalLine({ planHash, totalBytes });
      if (journalBytes > 0) await journal.truncate(journalBytes);
      else await journal.write(head, 0);
      if (restarted) await journal.datasync();
      const journalEnd = journalBytes || Buffer.byteLength(head);
      const files = { partial, journal, journalEnd, release };
      const start = { path, totalBytes, resumeOffset, completed: steps, restarted };
      return new OutputWriter(start, files);
    });
  });
}
