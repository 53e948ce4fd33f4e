import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { PithError } from '../../util/errors.ts';

const mark = 'PITH_ISOLATED';
const interrupts = ['SIGINT', 'SIGTERM'] as const;
/** What `main` returns; a process that ends with another code did not reach its end. */
const ownCodes: ReadonlySet<number | null> = new Set([0, 1, 2, 130, 141]);

/** Whether this process was started by `runIsolated`. */
export function isIsolated(): boolean {
  return process.env[mark] !== undefined && process.send !== undefined;
}

/**
 * Runs a command line in a process of its own, on the same terminal, and returns its exit code.
 *
 * Signals go to that process by message: Ctrl-C on a terminal reaches both processes, a `kill` only
 * this one, and so each of them counts once.
 *
 * @throws {@link PithError} `engine` when native code ended that process.
 */
export async function runIsolated(argv: readonly string[]): Promise<number> {
  const entry = fileURLToPath(new URL('../index.js', import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, ...argv], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [mark]: '1' },
  });
  const pass = (signal: NodeJS.Signals) => child.connected && child.send(signal);
  for (const signal of interrupts) process.on(signal, pass);
  try {
    return await exitCode(child);
  } finally {
    for (const signal of interrupts) process.off(signal, pass);
  }
}

function exitCode(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(
        new PithError('engine', `Node.js does not start: ${cause.message}`, undefined, { cause }),
      );
    });
    child.once('exit', (code, killedBy) => {
      if (killedBy !== null && (interrupts as readonly string[]).includes(killedBy)) {
        resolve(128 + constants.signals[killedBy]);
      } else if (ownCodes.has(code)) resolve(code!);
      else reject(crashed(killedBy ?? `code ${code}`));
    });
  });
}

function crashed(how: string): PithError {
  const memory = how === 'SIGKILL' ? ' Perhaps memory ran out.' : '';
  return new PithError(
    'engine',
    `The inference engine crashed (${how}).${memory}`,
    'See what is wrong with the file: pith verify FILE',
  );
}

/** Keeps the system from ending the process on a signal. */
function ignore(): void {}

/** In the isolated process: listens for Ctrl-C as the parent tells it; returns how to stop. */
export function onPassedSignal(listener: (signal: NodeJS.Signals) => void): () => void {
  const parentGone = () => listener('SIGTERM');
  for (const signal of interrupts) process.on(signal, ignore);
  process.on('message', listener);
  process.on('disconnect', parentGone);
  process.channel?.unref();
  return () => {
    for (const signal of interrupts) process.off(signal, ignore);
    process.off('message', listener);
    process.off('disconnect', parentGone);
  };
}
