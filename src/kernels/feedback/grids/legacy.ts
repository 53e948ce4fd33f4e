import { halfAt } from '../../scalar/block.ts';
import { packFiveBits, packNibbles } from '../../scalar/pack.ts';
import type { ScalarGrid } from '../grid.ts';
import { integerLevels, scalarGrid, setRun } from './scalar-grid.ts';

// Blocks of 32 weights: binary16 d, in Q4_1 and Q5_1 a minimum m, then the codes.

/** x̂ = d · level, codes behind d. */
function withScale(
  type: 'Q4_0' | 'Q5_0' | 'Q8_0',
  levels: Float32Array,
  pack: (codes: Uint8Array, out: Uint8Array, at: number) => void,
): ScalarGrid {
  return scalarGrid(type, {
    levels,
    readScales(bytes, at, scales, offsets) {
      setRun(scales, 0, 32, halfAt(bytes, at));
      setRun(offsets, 0, 32, 0);
    },
    writeCodes: (codes, bytes, at) => pack(codes, bytes, at + 2),
  });
}

/** x̂ = d · level + m, codes behind d and m. */
function withMinimum(
  type: 'Q4_1' | 'Q5_1',
  levels: Float32Array,
  pack: (codes: Uint8Array, out: Uint8Array, at: number) => void,
): ScalarGrid {
  return scalarGrid(type, {
    levels,
    readScales(bytes, at, scales, offsets) {
      setRun(scales, 0, 32, halfAt(bytes, at));
      setRun(offsets, 0, 32, -halfAt(bytes, at + 2));
    },
    writeCodes: (codes, bytes, at) => pack(codes, bytes, at + 4),
  });
}

/** Signed bytes of codes 0 … 255. */
function packBytes(codes: Uint8Array, out: Uint8Array, at: number): void {
  for (let j = 0; j < 32; j++) out[at + j] = codes[j]! ^ 128;
}

export const gridQ8_0: ScalarGrid = withScale('Q8_0', integerLevels(-128, 256), packBytes);
export const gridQ4_0: ScalarGrid = withScale('Q4_0', integerLevels(-8, 16), packNibbles);
export const gridQ5_0: ScalarGrid = withScale('Q5_0', integerLevels(-16, 32), packFiveBits);
export const gridQ4_1: ScalarGrid = withMinimum('Q4_1', integerLevels(0, 16), packNibbles);
export const gridQ5_1: ScalarGrid = withMinimum('Q5_1', integerLevels(0, 32), packFiveBits);
