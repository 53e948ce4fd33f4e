import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Answer } from '../../evaluate/tasks/index.ts';
import { acquireLock } from '../../storage/lock-file.ts';
import { attempt, systemError } from '../../storage/system-error.ts';

const answer = z.union([
  z.strictObject({
    answers: z.array(z.strictObject({ logLikelihood: z.number(), greedy: z.boolean() })),
    truncated: z.number(),
  }),
  z.strictObject({ text: z.string(), truncated: z.number() }),
  z.strictObject({ vector: z.array(z.number()) }),
]);

const line = z.tuple([z.number().int().nonnegative(), answer]);

/**
 * Answers as they come, a line of JSON each, so that an interrupted evaluation continues after them.
 *
 * A line that a kill −9 or a power cut left torn is asked for again.
 */
export class AnswerFile {
  readonly path: string;
  /** Answers of an earlier run by number. */
  readonly found: ReadonlyMap<number, Answer>;
  readonly #handle: number;
  readonly #release: () => Promise<void>;

  private constructor(
    path: string,
    found: ReadonlyMap<number, Answer>,
    files: { readonly handle: number; readonly release: () => Promise<void> },
  ) {
    this.path = path;
    this.found = found;
    this.#handle = files.handle;
    this.#release = files.release;
  }

  /**
   * Opens a file, continuing one of the same key.
   *
   * @param key - Stands for model, engine, questions and everything else that determines the answers.
   * @throws PithError `conflict` while another process writes it; the system's own errors.
   */
  static open(path: string, key: string): Promise<AnswerFile> {
    return attempt('write', path, async () => {
      const release = await acquireLock(`${path}.lock`);
      try {
        const text = await readFile(path, 'utf8').catch(() => '');
        const head = JSON.stringify({ key });
        const isOurs = text.startsWith(`${head}\n`);
        const handle = openSync(path, isOurs ? 'a' : 'w');
        if (!isOurs) writeSync(handle, `${head}\n`);
        else if (!text.endsWith('\n')) writeSync(handle, '\n');
        return new AnswerFile(path, isOurs ? parse(text) : new Map(), { handle, release });
      } catch (error) {
        await release();
        throw error;
      }
    });
  }

  /** Keeps an answer; it is with the system when this returns. */
  add(number: number, given: Answer): void {
    try {
      writeSync(this.#handle, `${JSON.stringify([number, given])}\n`);
    } catch (error) {
      throw systemError(error, 'write', this.path);
    }
  }

  async close(): Promise<void> {
    closeSync(this.#handle);
    await this.#release();
  }
}

function parse(text: string): Map<number, Answer> {
  const lines = text.split('\n').slice(1);
  return new Map(lines.flatMap((entry) => parseLine(entry)));
}

function parseLine(text: string): [number, Answer][] {
  try {
    const { success, data } = line.safeParse(JSON.parse(text));
    return success ? [data] : [];
  } catch {
    return [];
  }
}
