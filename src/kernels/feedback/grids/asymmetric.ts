import { halfAt } from '../../scalar/block.ts';
import { sixBitField } from '../../scalar/decode-k-quants.ts';
import { packBitPairs, packBits, packNibbles } from '../../scalar/pack.ts';
import type { ScalarGrid } from '../grid.ts';
import { integerLevels, scalarGrid, setRun } from './scalar-grid.ts';

// Blocks of 256 weights, x̂ = d · scale · level − dmin · min; products are rounded to f32 where they
// are stored, as the decoders do.

/** Q2_K: a scale and a min of four bits for each 16 weights. */
export const gridQ2_K: ScalarGrid = scalarGrid('Q2_K', {
  levels: integerLevels(0, 4),
  readScales(bytes, at, scales, offsets) {
    const d = halfAt(bytes, at + 80);
    const dmin = halfAt(bytes, at + 82);
    for (let j = 0; j < 16; j++) {
      const packed = bytes[at + j]!;
      setRun(scales, 16 * j, 16, d * (packed & 15));
      setRun(offsets, 16 * j, 16, dmin * (packed >> 4));
    }
  },
  writeCodes: (codes, bytes, at) => packBitPairs(codes, bytes, at + 16, 0),
});

/** Q4_K and Q5_K: a scale and a min of six bits for each 32 weights. */
function readSixBitScales(
  bytes: Uint8Array,
  at: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  const d = halfAt(bytes, at);
  const dmin = halfAt(bytes, at + 2);
  for (let j = 0; j < 8; j++) {
    setRun(scales, 32 * j, 32, d * sixBitField(bytes, at + 4, j, 0));
    setRun(offsets, 32 * j, 32, dmin * sixBitField(bytes, at + 4, j, 4));
  }
}

export const gridQ4_K: ScalarGrid = scalarGrid('Q4_K', {
  levels: integerLevels(0, 16),
  readScales: readSixBitScales,
  writeCodes: (codes, bytes, at) => packNibbles(codes, bytes, at + 16, 32),
});

export const gridQ5_K: ScalarGrid = scalarGrid('Q5_K', {
  levels: integerLevels(0, 32),
  readScales: readSixBitScales,
  writeCodes(codes, bytes, at) {
    packBits(codes, bytes, at + 16, 4);
    packNibbles(codes, bytes, at + 48, 32);
  },
});
