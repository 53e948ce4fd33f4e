import { codebookData } from './codebook-data.ts';
import { codebook, codebookOf, type CodebookName, type CodebookType } from './codebooks.ts';

/** Entries listed for a cell. */
export const listed = 16;

/**
 * A codebook made ready for searching: for each cell, that is for each choice of the level nearest to
 * every magnitude of a group, the entries nearest to those levels, the nearest first.
 */
export interface CodebookLists {
  readonly width: 4 | 8;
  /** Levels that a magnitude can take: cell Σ level index · levels^position. */
  readonly levels: number;
  /** The lowest level over the step from one level to the next. */
  readonly offset: number;
  readonly step: number;
  /** Entry e is the `width` levels from index `e * width` on. */
  readonly entries: Int8Array;
  /** `listed` entries of cell c from index `c * listed` on. */
  readonly nearest: Uint16Array;
}

const known = new Map<CodebookName, CodebookLists>();

/**
 * The lists of a type's codebook, made on the first call (20 to 200 ms) and kept.
 *
 * ggml lists every entry at the two or three smallest distances from a cell; here all cells list
 * equally many, so that four groups can be searched in step.
 */
export function codebookLists(type: CodebookType): CodebookLists {
  const name = codebookOf[type];
  const found = known.get(name);
  if (found) return found;
  const { width, levels } = codebookData[name];
  const step = (levels.at(-2)! - levels[0]) / (levels.length - 2);
  const entries = codebook(name);
  const nearest = nearestEntries(entries, levels, width);
  const lists: CodebookLists = {
    width,
    levels: levels.length,
    offset: Math.fround(levels[0] / step),
    step,
    entries,
    nearest,
  };
  known.set(name, lists);
  return lists;
}

function nearestEntries(entries: Int8Array, levels: readonly number[], width: number): Uint16Array {
  const half = width / 2;
  const cells = levels.length ** half;
  const low = distances(entries, levels, width, 0);
  const high = distances(entries, levels, width, half);
  const count = entries.length / width;
  const nearest = new Uint16Array(cells * cells * listed);
  const keys = new Int32Array(count);
  for (let cell = 0; cell < cells * cells; cell++) {
    const lowAt = (cell % cells) * count;
    const highAt = Math.floor(cell / cells) * count;
    // Distances stay below 2^16: one number holds the distance and, for ties, the entry.
    for (let e = 0; e < count; e++) keys[e] = (low[lowAt + e]! + high[highAt + e]!) * 1024 + e;
    nearest.set(
      smallest(keys, listed).map((key) => key & 1023),
      cell * listed,
    );
  }
  return nearest;
}

/** Squared distances of all entries from all cells in half of the positions, from `first` on. */
function distances(
  entries: Int8Array,
  levels: readonly number[],
  width: number,
  first: number,
): Int32Array {
  const half = width / 2;
  const count = entries.length / width;
  return Int32Array.from({ length: levels.length ** half * count }, (_, i) => {
    const cell = Math.floor(i / count);
    let sum = 0;
    for (let j = 0; j < half; j++) {
      const level = levels[Math.floor(cell / levels.length ** j) % levels.length]!;
      sum += (entries[(i % count) * width + first + j]! - level) ** 2;
    }
    return sum;
  });
}

/** The `count` smallest numbers in rising order. */
function smallest(keys: Int32Array, count: number): Int32Array {
  const found = new Int32Array(count).fill(0x7fffffff);
  for (const key of keys) {
    if (key >= found[count - 1]!) continue;
    let at = count - 1;
    for (; at > 0 && found[at - 1]! > key; at--) found[at] = found[at - 1]!;
    found[at] = key;
  }
  return found;
}
