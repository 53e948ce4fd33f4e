import type { Encoder } from '../kernels.ts';
import { codesAt } from './codes.ts';
import type { FitBlock } from './fit-block.ts';
import { packBitPairs, packNibbles } from './pack.ts';
import { fitSuperBlock, scalesOf, type SuperBlock } from './sub-scales.ts';
import { linearGrid, type Search } from './symmetric-fit.ts';
import { symmetricEncoder } from './symmetric-encoder.ts';

const shape: SuperBlock = {
  grid: linearGrid(-32, 31),
  limit: 128,
};

const search: Search = {
  targets: [-32.8, -32.4, -32, -31.6, -31.2, 30.2, 30.6, 31, 31.4, 31.8],
  refinements: 1,
  subScaleSteps: [0, 1, -1],
};

/**
 * Quantizes rows to Q6_K: 256 weights in 210 bytes, sixteen sub-blocks of 16 with an 8-bit scale
 * each, 6-bit codes; x̂ = d·scale·(code − 32).
 *
 * @see ggml-quants.c quantize_row_q6_K_impl (llama.cpp v0.5.0). Same weights (x², or importance) up
 * to the ridge; differs in the search: see fitScale and fitSuperBlock.
 * Error at most ggml's on the vectors of test/golden/ggml-symmetric.json.
 */
export const encodeQ6K: Encoder = symmetricEncoder({
  type: 'Q6_K',
  plain: { ridge: 0.1, search },
  importance: { ridge: 0.05, search },
  subBlock: 16,
  together: 1,
  scalesImportance: false,
  encode,
});

function encode(block: FitBlock, search: Search, out: Uint8Array): number {
  const fitted = fitSuperBlock(block, shape, search);
  const codes = codesAt(block, scalesOf(fitted), shape.grid);
  const stored = Uint8Array.from(codes.values, (code) => code + 32);
  packNibbles(stored, out, 0, 64);
  packBitPairs(stored, out, 128, 4);
  out.set(new Uint8Array(fitted.subScales.buffer), 192);
  out[208] = fitted.scale.bits & 255;
  out[209] = fitted.scale.bits >> 8;
  return codes.squaredError;
}
