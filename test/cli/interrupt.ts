import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { command } from './pith.ts';

/** How to interrupt a command. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  /** Whether it has done what it shall be interrupted after; asked every 2 ms. */
  readonly isReady: () => boolean;
  /** Whether it was interrupted there, and not later or at its end. */
  readonly isInTime: () => boolean;
  /** Undoes what it did, for another attempt. */
  readonly reset: () => void;
}

/**
 * Starts a command and sends its whole process group a signal: commands of native engines run in a process
 * of their own. A fast machine may be done before the signal arrives: then the command is started anew.
 */
export async function interrupt(
  args: readonly string[],
  { signal, isReady, isInTime, reset }: Interruption,
): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    reset();
    const child = spawn(process.execPath, [command, ...args], { stdio: 'ignore', detached: true });
    let isSent = false;
    const watching = setInterval(() => {
      if (!isSent && isReady()) isSent = process.kill(-child.pid!, signal);
    }, 2);
    await once(child, 'exit');
    clearInterval(watching);
    if (isSent && isInTime()) return;
  }
  throw new Error(`Ten runs were further than they should before ${signal} reached them.`);
}
