import type { Encoder } from '../kernels.ts';
import { codesAt } from './codes.ts';
import type { FitBlock } from './fit-block.ts';
import { iq4Grid, iq4Tuning, packIq4 } from './iq4-grid.ts';
import { fitSuperBlock, scalesOf, type SuperBlock } from './sub-scales.ts';
import type { Search } from './symmetric-fit.ts';
import { symmetricEncoder } from './symmetric-encoder.ts';

const shape: SuperBlock = { grid: iq4Grid, limit: 32 };

/**
 * Quantizes rows to IQ4_XS: 256 weights in 136 bytes, eight sub-blocks of 32 with a 6-bit scale each,
 * 4-bit codes into IQ4_NL's table; x̂ = d·(scale − 32)·table[code].
 *
 * @see ggml-quants.c quantize_row_iq4_nl_impl (llama.cpp v0.5.0). Same weights up to the ridge;
 * differs in the search: see fitScale and fitSuperBlock.
 * Error at most ggml's on the vectors of test/golden/ggml-symmetric.json.
 */
export const encodeIQ4XS: Encoder = symmetricEncoder({
  type: 'IQ4_XS',
  ...iq4Tuning,
  subBlock: 32,
  together: 1,
  scalesImportance: true,
  encode,
});

function encode(block: FitBlock, search: Search, out: Uint8Array): number {
  const fitted = fitSuperBlock(block, shape, search);
  const codes = codesAt(block, scalesOf(fitted), shape.grid);
  out[0] = fitted.scale.bits & 255;
  out[1] = fitted.scale.bits >> 8;
  packScales(fitted.subScales, out.subarray(2, 8));
  packIq4(codes.values, out, 8);
  return codes.squaredError;
}

/** Sub-scales plus 32: two high bits each in bytes 0 and 1, low nibbles in bytes 2 … 5. */
function packScales(subScales: Int8Array, packed: Uint8Array): void {
  packed.fill(0);
  subScales.forEach((subScale, j) => {
    const stored = subScale + 32;
    packed[j >> 2]! |= (stored >> 4) << (2 * (j & 3));
    packed[2 + (j >> 1)]! |= (stored & 15) << (4 * (j & 1));
  });
}
