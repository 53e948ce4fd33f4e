import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packEvenSigns, type EntryPacker } from './codebook-encoder.ts';

/** For 32 weights four entries, then signs. */
export const packIQ2XXS: EntryPacker = (entries, signs, out, at) => {
  for (let j = 0; j < 8; j++) {
    const to = at + 2 + 8 * j;
    for (let l = 0; l < 4; l++) out[to + l] = entries[4 * j + l]!;
    packEvenSigns(signs, 4 * j, out, to + 4);
  }
};

/**
 * Quantizes rows to IQ2_XXS: 256 weights in 66 bytes, eight sub-blocks of 32 with a 4-bit sub-scale s
 * each; eight magnitudes are an entry of a codebook of 256, seven of eight signs are stored;
 * x̂ = ±d/8·(2s + 1)·level.
 *
 * @see ggml-quants.c quantize_row_iq2_xxs_impl (llama.cpp v0.5.0), which needs importance. Same weights
 * up to the ridge; differs in the search: see fitCodebook. Error at most ggml's on
 * test/golden/ggml-encode.json.
 */
export const encodeIQ2XXS: Encoder = codebookEncoder({
  type: 'IQ2_XXS',
  evenSigns: true,
  share: 0.125,
  subBlock: 32,
  packEntries: packIQ2XXS,
  packScales(subScales, out) {
    for (let j = 0; j < 8; j++) out[9 + 8 * j]! |= subScales[j]! << 4;
  },
});
