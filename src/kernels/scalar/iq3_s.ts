import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packSubScales, type EntryPacker } from './codebook-encoder.ts';

/** Low eight bits of the entries, their high bits, signs. */
export const packIQ3S: EntryPacker = (entries, signs, out, at) => {
  for (let j = 0; j < 8; j++) {
    let high = 0;
    for (let l = 0; l < 8; l++) {
      const entry = entries[8 * j + l]!;
      out[at + 2 + 8 * j + l] = entry;
      high |= (entry >> 8) << l;
    }
    out[at + 66 + j] = high;
  }
  for (let j = 0; j < 32; j++) out[at + 74 + j] = signs[j]!;
};

/**
 * Quantizes rows to IQ3_S: 256 weights in 110 bytes, eight sub-blocks of 32 with a 4-bit sub-scale s
 * each; four magnitudes are an entry of a codebook of 512, every sign a bit; x̂ = ±d·(2s + 1)·level.
 *
 * @see ggml-quants.c quantize_row_iq3_s_impl (llama.cpp v0.5.0). Same weights up to the ridge; differs
 * in the search: see fitCodebook. Error at most ggml's on test/golden/ggml-encode.json.
 */
export const encodeIQ3S: Encoder = codebookEncoder({
  type: 'IQ3_S',
  evenSigns: false,
  share: 1,
  subBlock: 32,
  packEntries: packIQ3S,
  packScales: (subScales, out) => packSubScales(subScales, out, 106),
});
