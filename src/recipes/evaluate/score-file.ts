import { stat } from 'node:fs/promises';
import { openFile } from '../../storage/file-source.ts';
import { openOutput } from '../../storage/output-file.ts';
import type { Output } from '../../storage/output-writer.ts';
import type { RecordFormat } from '../../evaluate/records.ts';
import { PithError } from '../../util/errors.ts';

/** A file of scores, a record a window. */
export interface ScoreFile<T> {
  readonly path: string;
  /** Stands for model, tokenizer, data and everything else that determines the scores. */
  readonly key: string;
  readonly format: RecordFormat<T>;
  /** Scored tokens of each window. */
  readonly counts: readonly number[];
}

/** A finished score file; close it. */
export interface ScoreReader<T> {
  readonly byteLength: number;
  read(window: number): Promise<T>;
  close(): Promise<void>;
}

/** How to fill a score file. */
export interface FillOptions<T> {
  /** What computes: it stands in the file's head. */
  readonly device: string;
  /** Scores of the windows from `first` on, in order. */
  readonly score: (first: number) => AsyncGenerator<T>;
  /** After each window, those of an earlier run included; `done` windows are there. */
  readonly onWindow?: (done: number) => void;
}

const headBytes = 128;
const windowStep = 'window';

/** What computed the scores of a finished file; undefined when there is none. */
export async function finishedDevice<T>(file: ScoreFile<T>): Promise<string | undefined> {
  const found = await stat(file.path).catch(() => undefined);
  if (found?.size !== totalBytes(file)) return undefined;
  const source = await openFile(file.path);
  try {
    const text = new TextDecoder().decode(await source.read(0, headBytes)).trimEnd();
    const begin = headOf(file);
    return text.startsWith(begin) ? text.slice(begin.length) : undefined;
  } finally {
    await source.close();
  }
}

/**
 * Scores windows into a file that survives an interruption: the same call continues after the last
 * window that reached the disk, and ends with the same scores. Returns where it continued, 0 for anew.
 */
export async function fillScoreFile<T>(
  file: ScoreFile<T>,
  { device, score, onWindow }: FillOptions<T>,
): Promise<number> {
  const plan = { planHash: file.key, totalBytes: totalBytes(file), force: true };
  const output = await openOutput(file.path, plan);
  const last = output.completed.findLast(({ step }) => step === windowStep);
  const first = typeof last?.detail === 'number' ? last.detail : 0;
  try {
    if (first === 0) await output.write(head(file, device));
    await writeRecords(
      file,
      output,
      { score: () => score(first), onWindow: onWindow ?? ignore },
      first,
    );
    await output.finish();
    return first;
  } catch (error) {
    await (isBroken(error) ? output.discard() : output.abandon());
    throw error;
  }
}

async function writeRecords<T>(
  { format }: ScoreFile<T>,
  output: Output,
  { score, onWindow }: { score: () => AsyncGenerator<T>; onWindow: (done: number) => void },
  first: number,
): Promise<void> {
  let done = first;
  onWindow(done);
  for await (const scores of score()) {
    await output.write(format.write(scores));
    done += 1;
    await output.checkpoint(windowStep, done);
    onWindow(done);
  }
}

/** Opens a finished file. */
export async function openScoreFile<T>(file: ScoreFile<T>): Promise<ScoreReader<T>> {
  const { format, counts } = file;
  const source = await openFile(file.path);
  const offsets: number[] = [];
  let offset = headBytes;
  for (const count of counts) {
    offsets.push(offset);
    offset += format.bytes(count);
  }
  return {
    byteLength: source.byteLength,
    async read(window) {
      const count = counts[window]!;
      return format.read(await source.read(offsets[window]!, format.bytes(count)), count);
    },
    close: () => source.close(),
  };
}

/** Reads all records of a finished file. */
export async function readScores<T>(file: ScoreFile<T>): Promise<T[]> {
  const reader = await openScoreFile(file);
  const all: T[] = [];
  try {
    for (let window = 0; window < file.counts.length; window += 1)
      all.push(await reader.read(window));
  } finally {
    await reader.close();
  }
  return all;
}

function ignore(): void {}

/** Broken weights stay broken; anything else may go better next time. */
function isBroken(error: unknown): boolean {
  return error instanceof PithError && ['not-finite', 'shape', 'usage'].includes(error.code);
}

function totalBytes<T>({ format, counts }: ScoreFile<T>): number {
  return counts.reduce((sum, count) => sum + format.bytes(count), headBytes);
}

/** A line that says what the file is, of what and what computed it. */
function head<T>(file: ScoreFile<T>, device: string): Buffer {
  return Buffer.from(`${headOf(file)}${device}`.padEnd(headBytes - 1).concat('\n'));
}

function headOf<T>({ key }: ScoreFile<T>): string {
  return `pith scores 2 ${key} `;
}
