/** A step of a long write that is safely on the disk. */
export interface CompletedStep {
  readonly step: string;
  /** Bytes of the output up to the end of this step. */
  readonly offset: number;
  /** What the writer wants to know again when it resumes; any JSON value. */
  readonly detail?: unknown;
}

/** What an output must have in common with an unfinished one to continue it. */
export interface JournalHead {
  /** Stands for everything that determines the output's bytes. */
  readonly planHash: string;
  readonly totalBytes: number;
}

/** A journal as found on the disk. */
export interface Journal extends JournalHead {
  readonly steps: readonly CompletedStep[];
  /** Length of the part that was understood, in bytes; a torn last line comes after it. */
  readonly validBytes: number;
}

/** One line of a journal. */
export function journalLine(entry: JournalHead | CompletedStep): string {
  return `${JSON.stringify(entry)}\n`;
}

/**
 * Parses a journal: a head, then one line a step with growing offsets.
 *
 * Stops at the first line that is torn or makes no sense; undefined when that is the head.
 */
export function parseJournal(text: string): Journal | undefined {
  const lines = text.split('\n').slice(0, -1);
  const head = parseLine(lines[0]);
  if (typeof head?.planHash !== 'string' || !isOffset(head.totalBytes)) return undefined;
  const { planHash, totalBytes } = head;
  const steps: CompletedStep[] = [];
  let validBytes = lineBytes(lines[0]!);
  for (const line of lines.slice(1)) {
    const entry = parseLine(line);
    const smallest = steps.at(-1)?.offset ?? 0;
    if (typeof entry?.step !== 'string' || !isOffset(entry.offset)) break;
    if (entry.offset < smallest || entry.offset > totalBytes) break;
    steps.push({ step: entry.step, offset: entry.offset, detail: entry.detail });
    validBytes += lineBytes(line);
  }
  return { planHash, totalBytes, steps, validBytes };
}

function parseLine(line: string | undefined): Partial<JournalHead & CompletedStep> | undefined {
  try {
    const value = JSON.parse(line ?? '') as unknown;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function lineBytes(line: string): number {
  return new TextEncoder().encode(line).length + 1;
}
