import { rename, unlink, type FileHandle } from 'node:fs/promises';
import type { ByteSink } from '../util/byte-source.ts';
import { PithError } from '../util/errors.ts';
import { syncFolder } from './folder.ts';
import { journalLine, type CompletedStep } from './journal.ts';
import { attempt, systemError } from './system-error.ts';

/** At a checkpoint that comes this long after the last sync, writing waits for the disk. */
const syncEveryMs = 5000;

/** The largest write that Node takes is 2^31 − 1 bytes. */
const bytesAtOnce = 2 ** 30;

/** After so much, the disk syncs what is there while the next bytes are made: a crash costs little more. */
const writebackEvery = { bytes: 32 * 2 ** 20, ms: 500 };

/** The journal's last step: all bytes are there. Its detail is the file's inode. */
export const finishStep = 'finish';

/** How an output was found when it was opened. */
interface OutputStart {
  readonly path: string;
  readonly totalBytes: number;
  /** Bytes that are already there: write what comes after them. 0 for a fresh output. */
  readonly resumeOffset: number;
  /** The steps that those bytes hold. */
  readonly completed: readonly CompletedStep[];
  /** An unfinished output was thrown away: it belonged to another plan, or was damaged. */
  readonly restarted: boolean;
}

/**
 * A file that gets its name only when it is complete; see `openOutput`. Calls are carried out in
 * order, also when they are not awaited; after one has failed, only `abandon` and `discard` work.
 */
export interface Output extends OutputStart, ByteSink {
  /**
   * Notes that a step is complete: after a crash, the output resumes after one of these. `detail`
   * (any JSON value) comes back in `completed`. Cheap: the disk is synced now and then only.
   */
  checkpoint(step: string, detail?: unknown): Promise<void>;
  /** Makes the file durable and gives it its name; throws `shape` when bytes are missing. */
  finish(): Promise<void>;
  /** Stops and keeps what is written, for a later `openOutput` with the same plan. */
  abandon(): Promise<void>;
  /** Stops and removes what is written. */
  discard(): Promise<void>;
}

interface OutputFiles {
  readonly partial: FileHandle;
  readonly journal: FileHandle;
  /** Where the journal's next line goes. */
  readonly journalEnd: number;
  readonly release: () => Promise<void>;
}

/** The writing side of `openOutput`. */
export class OutputWriter implements Output {
  readonly path: string;
  readonly totalBytes: number;
  readonly resumeOffset: number;
  readonly completed: readonly CompletedStep[];
  readonly restarted: boolean;
  readonly #files: OutputFiles;
  #journalEnd: number;
  #offset: number;
  #syncedAt: number;
  #writeback: Promise<void> | undefined;
  #written: { offset: number; time: number };
  #pending: CompletedStep[] = [];
  #failure: unknown;
  #open = true;
  #last: Promise<unknown> = Promise.resolve();

  constructor(start: OutputStart, files: OutputFiles) {
    this.path = start.path;
    this.totalBytes = start.totalBytes;
    this.resumeOffset = start.resumeOffset;
    this.completed = start.completed;
    this.restarted = start.restarted;
    this.#files = files;
    this.#journalEnd = files.journalEnd;
    this.#offset = start.resumeOffset;
    this.#syncedAt = Date.now();
    this.#written = { offset: start.resumeOffset, time: Date.now() };
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#inOrder(() => this.#write(bytes));
  }

  checkpoint(step: string, detail?: unknown): Promise<void> {
    return this.#inOrder(async () => {
      this.#pending.push({ step, offset: this.#offset, detail });
      if (Date.now() - this.#syncedAt >= syncEveryMs) await this.#sync();
    });
  }

  finish(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#offset !== this.totalBytes) {
        const numbers = `${this.#offset} of ${this.totalBytes} bytes were written`;
        throw new PithError('shape', `${this.path} is not complete: ${numbers}.`);
      }
      const { ino } = await this.#files.partial.stat();
      this.#pending.push({ step: finishStep, offset: this.#offset, detail: ino });
      await this.#sync();
      await rename(`${this.path}.partial`, this.path);
      await syncFolder(this.path);
      await unlink(`${this.path}.journal`);
      await this.#close();
    });
  }

  async abandon(): Promise<void> {
    await this.#last;
    try {
      if (this.#failure === undefined && this.#open) await this.#inOrder(() => this.#sync());
    } finally {
      await this.#close();
    }
  }

  async discard(): Promise<void> {
    await this.#last;
    if (!this.#open) return;
    try {
      await attempt('remove', this.path, async () => {
        await unlink(`${this.path}.journal`);
        await unlink(`${this.path}.partial`);
      });
    } finally {
      await this.#close();
    }
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        await work();
      } catch (error) {
        this.#failure = this.#failed(error);
        throw this.#failure;
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  #failed(error: unknown): Error {
    const numbers = `${this.#offset} of ${this.totalBytes} bytes are written`;
    return systemError(error, 'write', this.path, numbers);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#offset + bytes.length > this.totalBytes) {
      const numbers = `${this.#offset} + ${bytes.length} of ${this.totalBytes}`;
      throw new PithError('shape', `${this.path} would get more bytes than planned: ${numbers}.`);
    }
    for (let done = 0; done < bytes.length;) {
      const length = Math.min(bytes.length - done, bytesAtOnce);
      const { bytesWritten } = await this.#files.partial.write(bytes, done, length, this.#offset);
      done += bytesWritten;
      this.#offset += bytesWritten;
    }
    this.#startWriteback();
  }

  #startWriteback(): void {
    const { offset, time } = this.#written;
    const due =
      this.#offset - offset >= writebackEvery.bytes || Date.now() - time >= writebackEvery.ms;
    if (this.#writeback || !due) return;
    this.#writeback = this.#syncSteps()
      .catch((error: unknown) => void (this.#failure ??= this.#failed(error)))
      .finally(() => (this.#writeback = undefined));
  }

  async #sync(): Promise<void> {
    await this.#writeback;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#syncSteps();
  }

  /** First the data, then the journal: it must never promise what the disk does not hold. */
  async #syncSteps(): Promise<void> {
    const steps = this.#pending;
    this.#pending = [];
    this.#written = { offset: this.#offset, time: Date.now() };
    await this.#files.partial.datasync();
    const lines = steps.map(journalLine).join('');
    if (lines === '') return;
    await this.#files.journal.write(lines, this.#journalEnd);
    this.#journalEnd += Buffer.byteLength(lines);
    this.#syncedAt = Date.now();
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const { partial, journal, release } = this.#files;
    await attempt('close', this.path, async () => {
      await this.#writeback;
      const closed = await Promise.allSettled([partial.close(), journal.close(), release()]);
      const failed = closed.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    });
  }
}
