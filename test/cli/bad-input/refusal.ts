import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '../../../src/util/errors.ts';
import { pithJson, type RunOptions } from '../pith.ts';

/** One thing that a hostile file or a clumsy user does, and what must come of it. */
export interface Refusal {
  readonly title: string;
  /** Makes the input in an empty folder and returns the command line. */
  readonly make: (folder: string) => Promise<readonly string[]> | readonly string[];
  readonly options?: RunOptions;
  readonly code: ErrorCode;
  /** What message and hint together must hold: names, numbers, the next command. */
  readonly says: readonly (string | RegExp)[];
}

/** Where a command line of a case writes to; nothing may lie there afterwards. */
export const outputName = 'out.gguf';

/** Nothing here is larger than 10 MB; Node alone takes 45 to 75 MB, its kernels on two threads 50. */
const mostMemoryBytes = 260e6;

/** The slowest takes 2 s on an idle machine. */
const mostMs = 60_000;

/** Prints the peak of each process when it ends. */
const meter = `process.on('exit', () => process._rawDebug('peak ' + process.resourceUsage().maxRSS))`;

interface ErrorReport {
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What came of a case, in the form of what should have come of it. */
interface Outcome {
  readonly code: string;
  readonly exit: number | null;
  readonly hasHint: boolean;
  /** The words that message and hint lack, then message and hint. */
  readonly unsaid: readonly (string | RegExp)[];
  /** The output and what a writer keeps beside it. */
  readonly leftovers: readonly string[];
  /** The highest peak of a process, when that is too much. */
  readonly excessBytes: number;
}

/** What must come of a case: the error, words and numbers in it, no output, little memory. */
export function refused({ code }: Refusal): Outcome {
  const exit = code === 'usage' ? 2 : 1;
  return { code, exit, hasHint: true, unsaid: [], leftovers: [], excessBytes: 0 };
}

/** Runs the command of a case in a folder of its own; throws when it takes too long. */
export async function outcomeOf({ make, options, says }: Refusal): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'pith-bad-'));
  try {
    const finished = await pithJson<ErrorReport>(await make(folder), {
      ...options,
      timeoutMs: mostMs,
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(meter)}` },
    });
    const { error } = finished.report;
    if (!error) throw new Error(`no error: ${finished.stdout}`);
    const text = `${error.message}\n${error.hint}`;
    const unsaid = says.filter((words) =>
      typeof words === 'string' ? !text.includes(words) : !words.test(text),
    );
    const peak = peakBytes(finished.stderr);
    return {
      code: error.code,
      exit: finished.code,
      hasHint: Boolean(error.hint),
      unsaid: unsaid.length > 0 ? [...unsaid, text] : [],
      leftovers: (await readdir(folder)).filter((name) => name.startsWith(outputName)),
      excessBytes: peak > mostMemoryBytes ? peak : 0,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The highest peak that the meters of all processes of a command told. */
function peakBytes(stderr: string): number {
  const kilobytes = [...stderr.matchAll(/^peak (\d+)$/gm)].map((match) => Number(match[1]));
  return 1024 * Math.max(...kilobytes);
}
