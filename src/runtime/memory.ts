import process from 'node:process';

/**
 * The most memory this process ever held at once, in bytes: the resident set, which counts pages of
 * a memory-mapped model that were touched.
 */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
