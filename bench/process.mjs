/** Runs other programs and measures them from outside. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The built command line of this working copy; make it with `npm run build`. */
export const pith = resolve(import.meta.dirname, '../dist/cli/index.js');

/**
 * Runs a program to its end.
 *
 * Wall time is from the call to the exit, start-up included; processor time (all threads, user and
 * system) and peak resident memory are the operating system's, through GNU time.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {{ seconds: number, cpuSeconds: number, peakBytes: number, stdout: string, stderr: string }}
 */
export function measureProcess(command, args) {
  const folder = mkdtempSync(join(tmpdir(), 'pith-bench-'));
  try {
    const usage = join(folder, 'usage');
    const timed = ['-o', usage, '-f', '%U %S %M', command, ...args];
    const started = performance.now();
    const run = spawnSync('/usr/bin/time', timed, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    const seconds = (performance.now() - started) / 1000;
    if (run.error) throw new Error('GNU time is needed as /usr/bin/time', { cause: run.error });
    if (run.status !== 0) {
      throw new Error(`${command} ${args.join(' ')} failed:\n${run.stderr}\n${run.stdout}`);
    }
    const [user, system, kibibytes] = readFileSync(usage, 'utf8').trim().split(' ').map(Number);
    const { stdout, stderr } = run;
    return { seconds, cpuSeconds: user + system, peakBytes: kibibytes * 1024, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes back what other programs left in the page cache, so that no run pays for another. */
export function settleDisk() {
  spawnSync('sync');
}

/** Reads a file once, so that every run finds it in the page cache. */
export function warmFile(path) {
  spawnSync('cat', [path], { stdio: ['ignore', 'ignore', 'inherit'] });
}
