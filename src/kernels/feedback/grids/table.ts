import { halfAt } from '../../scalar/block.ts';
import { fp4Levels, iq4Scale } from '../../scalar/decode-nonlinear.ts';
import { iq4Values } from '../../scalar/iq4-grid.ts';
import { packNibbles } from '../../scalar/pack.ts';
import type { ScalarGrid } from '../grid.ts';
import { scalarGrid, setRun } from './scalar-grid.ts';

// Codes of four bits that name a level of a table.

const iq4Levels = Float32Array.from(iq4Values);

export const gridIQ4_NL: ScalarGrid = scalarGrid('IQ4_NL', {
  levels: iq4Levels,
  readScales(bytes, at, scales, offsets) {
    setRun(scales, 0, 32, halfAt(bytes, at));
    setRun(offsets, 0, 32, 0);
  },
  writeCodes: (codes, bytes, at) => packNibbles(codes, bytes, at + 2),
});

export const gridIQ4_XS: ScalarGrid = scalarGrid('IQ4_XS', {
  levels: iq4Levels,
  readScales(bytes, at, scales, offsets) {
    const d = halfAt(bytes, at);
    for (let j = 0; j < 8; j++) setRun(scales, 32 * j, 32, d * iq4Scale(bytes, at, j));
    setRun(offsets, 0, 256, 0);
  },
  writeCodes: (codes, bytes, at) => packNibbles(codes, bytes, at + 8),
});

/** Codes of FP4 by rising level: a sign and three bits, the second zero left out. */
const fp4Codes = Uint8Array.of(15, 14, 13, 12, 11, 10, 9, 0, 1, 2, 3, 4, 5, 6, 7);
const stored = new Uint8Array(32);

/** MXFP4: fifteen levels, as in the decoder twice those of FP4. */
export const gridMXFP4: ScalarGrid = scalarGrid('MXFP4', {
  levels: Float32Array.from(fp4Codes, (code) => fp4Levels[code]!),
  readScales(bytes, at, scales, offsets) {
    setRun(scales, 0, 32, 2 ** (bytes[at]! - 128));
    setRun(offsets, 0, 32, 0);
  },
  writeCodes(codes, bytes, at) {
    for (let j = 0; j < 32; j++) stored[j] = fp4Codes[codes[j]!]!;
    packNibbles(stored, bytes, at + 1);
  },
});
