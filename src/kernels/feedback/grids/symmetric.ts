import { halfAt, signed } from '../../scalar/block.ts';
import { q3Scale } from '../../scalar/decode-k-quants.ts';
import { packBitPairs, packBits, packNibbles } from '../../scalar/pack.ts';
import type { ScalarGrid } from '../grid.ts';
import { integerLevels, scalarGrid, setRun } from './scalar-grid.ts';

// Blocks of 256 weights, x̂ = d · scale · level with a signed scale for each 16 weights; d · scale is
// rounded to f32 where it is stored, as the decoders do.

export const gridQ3_K: ScalarGrid = scalarGrid('Q3_K', {
  levels: integerLevels(-4, 8),
  readScales(bytes, at, scales, offsets) {
    const d = halfAt(bytes, at + 108);
    for (let j = 0; j < 16; j++) setRun(scales, 16 * j, 16, d * q3Scale(bytes, at, j));
    setRun(offsets, 0, 256, 0);
  },
  writeCodes(codes, bytes, at) {
    packBits(codes, bytes, at, 2);
    packBitPairs(codes, bytes, at + 32, 0);
  },
});

export const gridQ6_K: ScalarGrid = scalarGrid('Q6_K', {
  levels: integerLevels(-32, 64),
  readScales(bytes, at, scales, offsets) {
    const d = halfAt(bytes, at + 208);
    for (let j = 0; j < 16; j++) setRun(scales, 16 * j, 16, d * signed(bytes[at + 192 + j]!));
    setRun(offsets, 0, 256, 0);
  },
  writeCodes(codes, bytes, at) {
    packNibbles(codes, bytes, at, 64);
    packBitPairs(codes, bytes, at + 128, 4);
  },
});
