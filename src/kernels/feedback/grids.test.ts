import { expect, test } from 'vitest';
import { encodableTypes, type EncodableType } from '../kernels.ts';
import { gaussian } from '../kernels.cases.ts';
import { scalarKernels } from '../scalar.ts';
import type { CodebookGrid, Grid, ScalarGrid } from './grid.ts';
import { gridOf } from './grids.ts';

const { fround } = Math;

const withoutGrid: readonly EncodableType[] = [
  'F32',
  'F16',
  'BF16',
  'TQ1_0',
  'TQ2_0',
  'Q2_0',
  'Q1_0',
];
const withGrid = encodableTypes.filter((type) => !withoutGrid.includes(type));

test('every type that is written has a grid, but for plain numbers and those of two to four levels', () => {
  expect(encodableTypes.filter((type) => !gridOf(type))).toEqual(withoutGrid);
});

/** Integers 0 … limit − 1 from a seed. */
function integers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * limit);
  };
}

/** A code a weight, or an entry a group and a byte of signs for eight weights. */
interface Codes {
  readonly codes: Uint8Array;
  readonly entries: Uint16Array;
  readonly signs: Uint8Array;
}

function roomFor(grid: Grid): Codes {
  const width = grid.kind === 'codebook' ? grid.lists.width : 1;
  return {
    codes: new Uint8Array(grid.weights),
    entries: new Uint16Array(grid.weights / width),
    signs: new Uint8Array(grid.weights / 8),
  };
}

const isOdd = (byte: number) => byte.toString(2).replaceAll('0', '').length % 2 === 1;

function randomCodes(grid: Grid, next: (limit: number) => number): Codes {
  const room = roomFor(grid);
  if (grid.kind === 'scalar') {
    for (let i = 0; i < grid.weights; i++) room.codes[i] = next(grid.levels.length);
    return room;
  }
  const count = grid.lists.entries.length / grid.lists.width;
  for (let g = 0; g < room.entries.length; g++) room.entries[g] = next(count);
  for (let o = 0; o < room.signs.length; o++) {
    const byte = next(256);
    room.signs[o] = grid.evenSigns && isOdd(byte) ? byte ^ 128 : byte;
  }
  return room;
}

function write(grid: Grid, { codes, entries, signs }: Codes, bytes: Uint8Array, at: number): void {
  if (grid.kind === 'scalar') grid.writeCodes(codes, bytes, at);
  else grid.writeEntries(entries, signs, bytes, at);
}

function readScales(grid: Grid, bytes: Uint8Array, at: number) {
  const scales = new Float32Array(grid.weights).fill(NaN);
  const offsets = new Float32Array(grid.weights).fill(NaN);
  grid.readScales(bytes, at, scales, offsets);
  return { scales, offsets };
}

/** The level of weight i, with its sign. */
function levelOf(grid: Grid, { codes, entries, signs }: Codes, i: number): number {
  if (grid.kind === 'scalar') return grid.levels[codes[i]!]!;
  const { width, entries: levels } = grid.lists;
  const level = levels[entries[Math.floor(i / width)]! * width + (i % width)]!;
  return (signs[i >> 3]! >> (i & 7)) & 1 ? -level : level;
}

function decodeBlock(grid: Grid, bytes: Uint8Array, at: number): Float32Array {
  const values = new Float32Array(grid.weights);
  scalarKernels.decode(grid.type, bytes.subarray(at, at + grid.bytes), values);
  return values;
}

test.each(withGrid)(
  '%s: codes written into the second of three blocks decode to scale · level − offset, bit for bit',
  (type) => {
    const grid = gridOf(type)!;
    const next = integers(7);
    for (let round = 0; round < 10; round++) {
      // Any bytes at all: scales of both signs, zeros, subnormals, infinities and NaN.
      const before = Uint8Array.from({ length: 3 * grid.bytes }, () => next(256));
      const bytes = before.slice();
      const { scales, offsets } = readScales(grid, bytes, grid.bytes);
      const codes = randomCodes(grid, next);
      write(grid, codes, bytes, grid.bytes);

      const expected = scales.map(
        (scale, i) => fround(scale * levelOf(grid, codes, i)) - offsets[i]!,
      );
      expect(decodeBlock(grid, bytes, grid.bytes)).toEqual(expected);
      expect(readScales(grid, bytes, grid.bytes)).toEqual({ scales, offsets });
      bytes.set(before.subarray(grid.bytes, 2 * grid.bytes), grid.bytes);
      expect(bytes).toEqual(before);
    }
  },
);

/** The code whose level is nearest to value / scale, or to 0 where the scale is 0. */
function nearestCode({ levels }: ScalarGrid, value: number, scale: number): number {
  const ratio = scale === 0 ? 0 : value / scale;
  return levels.reduce(
    (best, level, code) =>
      Math.abs(level - ratio) < Math.abs(levels[best]! - ratio) ? code : best,
    0,
  );
}

/** Entry by the levels it stands for. */
function entriesByLevels({ lists }: CodebookGrid): Map<string, number> {
  const { entries, width } = lists;
  return new Map(
    Array.from({ length: entries.length / width }, (_, e) => [
      entries.slice(e * width, (e + 1) * width).join(),
      e,
    ]),
  );
}

/** The codes that a decoder must have seen. */
function codesBehind(
  grid: Grid,
  values: Float32Array,
  { scales, offsets }: ReturnType<typeof readScales>,
) {
  const found = roomFor(grid);
  if (grid.kind === 'scalar') {
    values.forEach((value, i) => {
      found.codes[i] = nearestCode(grid, value + offsets[i]!, scales[i]!);
    });
    return found;
  }
  const { width } = grid.lists;
  const byLevels = entriesByLevels(grid);
  values.forEach((value, i) => {
    if (value < 0) found.signs[i >> 3]! |= 1 << (i & 7);
  });
  found.entries.forEach((_, g) => {
    const levels = values.slice(g * width, (g + 1) * width);
    const key = levels.map((value, j) => Math.round(Math.abs(value / scales[g * width + j]!)));
    found.entries[g] = byLevels.get(key.join())!;
  });
  return found;
}

test.each(withGrid)(
  '%s: the codes of an encoded block, written again, leave it as it was',
  (type) => {
    const grid = gridOf(type)!;
    const next = gaussian(3);
    const values = Float32Array.from({ length: 4 * grid.weights }, () => 0.02 * next());
    const bytes = new Uint8Array(4 * grid.bytes);
    scalarKernels.encode(type, values, values.length, bytes);
    const before = bytes.slice();
    const spoil = integers(11);
    for (let at = 0; at < bytes.length; at += grid.bytes) {
      const codes = codesBehind(grid, decodeBlock(grid, bytes, at), readScales(grid, bytes, at));
      write(grid, randomCodes(grid, spoil), bytes, at);
      expect(bytes).not.toEqual(before);
      write(grid, codes, bytes, at);
      expect(bytes).toEqual(before);
    }
  },
);

test.each(withGrid)('%s: levels rise, entries are positive', (type) => {
  const grid = gridOf(type)!;
  if (grid.kind === 'scalar')
    grid.levels.forEach((level, i, levels) => expect(level).toBeGreaterThan(levels[i - 1] ?? -129));
  else expect(Math.min(...grid.lists.entries)).toBeGreaterThan(0);
});
