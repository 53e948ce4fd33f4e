import { rename, unlink, type FileHandle } from 'node:fs/promises';
import type { ByteSink } from '../util/byte-source.ts';
import { PithError } from '../util/errors.ts';
import { syncFolder } from './folder.ts';
import { journalLine, type CompletedStep } from './journal.ts';
import { attempt, systemError } from './system-error.ts';

/** Work that a crash may cost. */
const syncEveryMs = 5000;

/** The disk begins with this many bytes while the next ones are made: a sync then finds little left. */
const writebackBytes = 32 * 2 ** 20;

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
  #writebackOffset: number;
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
    this.#writebackOffset = start.resumeOffset;
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
    await attempt('remove', this.path, async () => {
      await unlink(`${this.path}.journal`);
      await unlink(`${this.path}.partial`);
    });
    await this.#close();
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
      const length = bytes.length - done;
      const { bytesWritten } = await this.#files.partial.write(bytes, done, length, this.#offset);
      done += bytesWritten;
      this.#offset += bytesWritten;
    }
    this.#startWriteback();
  }

  #startWriteback(): void {
    if (this.#writeback || this.#offset - this.#writebackOffset < writebackBytes) return;
    this.#writebackOffset = this.#offset;
    this.#writeback = this.#files.partial
      .datasync()
      .catch((error: unknown) => void (this.#failure ??= this.#failed(error)))
      .finally(() => (this.#writeback = undefined));
  }

  /** First the data, then the journal: it must never promise what the disk does not hold. */
  async #sync(): Promise<void> {
    await this.#writeback;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#files.partial.datasync();
    const lines = this.#pending.map(journalLine).join('');
    await this.#files.journal.write(lines, this.#journalEnd);
    this.#journalEnd += Buffer.byteLength(lines);
    this.#pending = [];
    this.#syncedAt = Date.now();
    this.#writebackOffset = this.#offset;
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const { partial, journal, release } = this.#files;
    await attempt('close', this.path, async () => {
      await this.#writeback;
      await partial.close();
      await journal.close();
      await release();
    });
  }
}
