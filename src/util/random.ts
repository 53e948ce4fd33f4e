import { philox } from './philox.ts';

/** A seeded source of random numbers. */
export interface Random {
  /** From 0 up to, not including, 1, in steps of 2⁻⁵³. */
  uniform(): number;
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** Of mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number;
}

/**
 * Random numbers that a seed determines, on any machine.
 *
 * @param seed - An integer; its lower 32 bits count.
 * @param stream - Another independent sequence of the same seed, for example one a thread.
 */
export function seededRandom(seed: number, stream = 0): Random {
  const words = new Uint32Array(4);
  let block = 0;
  let used = words.length;
  let spare: number | undefined;

  function word(): number {
    if (used === words.length) {
      philox([block >>> 0, Math.floor(block / 2 ** 32), 0, 0], [seed >>> 0, stream >>> 0], words);
      block += 1;
      used = 0;
    }
    used += 1;
    return words[used - 1]!;
  }
  function uniform(): number {
    const high = word() >>> 5;
    return (high * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  }
  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
  return { uniform, normal, below: (limit) => Math.floor(uniform() * limit) };
}
