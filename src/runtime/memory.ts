import { readFileSync } from 'node:fs';
import process from 'node:process';

/**
 * The most memory this process ever held at once, in bytes: the resident set, which counts pages of
 * a memory-mapped model that were touched.
 *
 * On Linux it is VmHWM: getrusage counts what the parent held when it started this process, too.
 */
export function peakMemoryBytes(): number {
  const kilobytes = process.platform === 'linux' ? highWaterMark() : undefined;
  return (kilobytes ?? process.resourceUsage().maxRSS) * 1024;
}

function highWaterMark(): number | undefined {
  try {
    const [, kilobytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes);
  } catch {
    return undefined;
  }
}
