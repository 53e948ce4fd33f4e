import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packEvenSigns, type EntryPacker } from './codebook-encoder.ts';

/** Entries, then signs. */
export const packIQ3XXS: EntryPacker = (entries, signs, out, at) => {
  for (let group = 0; group < 64; group++) out[at + 2 + group] = entries[group]!;
  for (let j = 0; j < 8; j++) packEvenSigns(signs, 4 * j, out, at + 66 + 4 * j);
};

/**
 * Quantizes rows to IQ3_XXS: 256 weights in 98 bytes, eight sub-blocks of 32 with a 4-bit sub-scale s
 * each; four magnitudes are an entry of a codebook of 256, seven of eight signs are stored;
 * x̂ = ±d/4·(2s + 1)·level.
 *
 * @see ggml-quants.c quantize_row_iq3_xxs_impl (llama.cpp v0.5.0). Same weights up to the ridge;
 * differs in the search: see fitCodebook. Error at most ggml's on test/golden/ggml-encode.json.
 */
export const encodeIQ3XXS: Encoder = codebookEncoder({
  type: 'IQ3_XXS',
  evenSigns: true,
  share: 0.25,
  subBlock: 32,
  packEntries: packIQ3XXS,
  packScales(subScales, out) {
    for (let j = 0; j < 8; j++) out[69 + 4 * j]! |= subScales[j]! << 4;
  },
});
