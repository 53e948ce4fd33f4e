import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packSubScales, type EntryPacker } from './codebook-encoder.ts';
import { putWord } from './encoder.ts';

/** Words of an entry and seven signs. */
export const packIQ2XS: EntryPacker = (entries, signs, out, at) => {
  for (let group = 0; group < 32; group++)
    putWord(out, at + 2 + 2 * group, entries[group]! | ((signs[group]! & 127) << 9));
};

/**
 * Quantizes rows to IQ2_XS: 256 weights in 74 bytes, sixteen sub-blocks of 16 with a 4-bit sub-scale s
 * each; eight magnitudes are an entry of a codebook of 512, seven of eight signs are stored;
 * x̂ = ±d/8·(2s + 1)·level.
 *
 * @see ggml-quants.c quantize_row_iq2_xs_impl (llama.cpp v0.5.0), which needs importance. Same weights
 * up to the ridge; differs in the search: see fitCodebook. Error at most ggml's on
 * test/golden/ggml-encode.json.
 */
export const encodeIQ2XS: Encoder = codebookEncoder({
  type: 'IQ2_XS',
  evenSigns: true,
  share: 0.125,
  subBlock: 16,
  packEntries: packIQ2XS,
  packScales: (subScales, out) => packSubScales(subScales, out, 66),
});
