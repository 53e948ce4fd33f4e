import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';

/** The built command. */
export const command = resolve(import.meta.dirname, '../../dist/cli/index.js');

/** What a finished `pith` left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `--json` prints of a failure. */
export interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** How to run it: what it reads, and what to do when it first writes to stdout. */
export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A shell script that runs it: `"$@"` in it is the command line. */
  readonly through?: string;
  /** The user it runs as; only root may say. */
  readonly uid?: number;
  /** Kills it after so long. */
  readonly timeoutMs?: number;
  readonly onOutput?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the built command, not on a terminal. */
export function pith(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const line = [process.execPath, command, ...args];
  const { through, uid } = options;
  const [file = '', ...rest] = through === undefined ? line : ['sh', '-c', through, 'sh', ...line];
  const child = spawn(file, rest, {
    env: { ...process.env, ...options.env },
    ...(uid !== undefined && { uid, gid: uid }),
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout === '') options.onOutput?.((signal) => child.kill(signal));
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.input ?? '');
  return new Promise((finish) => {
    child.on('close', (code) => finish({ code, stdout, stderr }));
  });
}

/** Runs it with `--json` and parses the one object that it must print. */
export async function pithJson<T>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished & { readonly report: T }> {
  const finished = await pith([...args, '--json'], options);
  if (!/^\{.*\}\n$/.test(finished.stdout)) {
    throw new Error(`not one line of JSON: ${finished.stdout}\n${finished.stderr}`);
  }
  return { ...finished, report: JSON.parse(finished.stdout) as T };
}
