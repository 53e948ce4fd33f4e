import type { Encoder } from '../kernels.ts';
import { codesAt } from './codes.ts';
import type { FitBlock } from './fit-block.ts';
import { packBitPairs, packBits } from './pack.ts';
import { fitSuperBlock, scalesOf, type SuperBlock } from './sub-scales.ts';
import { linearGrid, type Search } from './symmetric-fit.ts';
import { symmetricEncoder } from './symmetric-encoder.ts';

const shape: SuperBlock = {
  grid: linearGrid(-4, 3),
  limit: 32,
};

/**
 * Quantizes rows to Q3_K: 256 weights in 110 bytes, sixteen sub-blocks of 16 with a 6-bit scale
 * each, 3-bit codes; x̂ = d·(scale − 32)·(code − 4).
 *
 * @see ggml-quants.c quantize_row_q3_K_impl and quantize_row_q3_K_ref (llama.cpp v0.5.0). Same
 * weights up to the ridge; differs in the search: see fitScale and fitSuperBlock.
 * Error at most ggml's on the vectors of test/golden/ggml-symmetric.json.
 */
export const encodeQ3K: Encoder = symmetricEncoder({
  type: 'Q3_K',
  plain: { ridge: 1, search: { targets: [-4.1, 2.9], refinements: 1, subScaleSteps: [0] } },
  importance: {
    ridge: 0.07,
    search: {
      targets: [-5.2, -4.6, -4.2, -3.9, -3.5, -3, 1.8, 2.4, 2.8, 3.1, 3.5, 4],
      refinements: 1,
      subScaleSteps: [0, 1, -1],
    },
  },
  subBlock: 16,
  together: 1,
  scalesImportance: true,
  encode,
});

function encode(block: FitBlock, search: Search, out: Uint8Array): number {
  const fitted = fitSuperBlock(block, shape, search);
  const codes = codesAt(block, scalesOf(fitted), shape.grid);
  const stored = Uint8Array.from(codes.values, (code) => code + 4);
  packBits(stored, out, 0, 2);
  packBitPairs(stored, out, 32, 0);
  out.set(packScales(fitted.subScales), 96);
  out[108] = fitted.scale.bits & 255;
  out[109] = fitted.scale.bits >> 8;
  return codes.squaredError;
}

/** Sixteen sub-scales plus 32: low nibbles in bytes 0 … 7, pairs of high bits in bytes 8 … 11. */
function packScales(subScales: Int8Array): Uint8Array {
  const packed = new Uint8Array(12);
  subScales.forEach((subScale, j) => {
    const stored = subScale + 32;
    packed[j & 7]! |= (stored & 15) << (j < 8 ? 0 : 4);
    packed[8 + (j & 3)]! |= (stored >> 4) << (2 * (j >> 2));
  });
  return packed;
}
