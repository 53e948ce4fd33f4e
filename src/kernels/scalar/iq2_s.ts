import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packSubScales, type EntryPacker } from './codebook-encoder.ts';

/** Low eight bits of the entries, signs, their high bits. */
export const packIQ2S: EntryPacker = (entries, signs, out, at) => {
  for (let j = 0; j < 8; j++) {
    let high = 0;
    for (let l = 0; l < 4; l++) {
      const entry = entries[4 * j + l]!;
      out[at + 2 + 4 * j + l] = entry;
      high |= (entry >> 8) << (2 * l);
    }
    out[at + 66 + j] = high;
  }
  for (let j = 0; j < 32; j++) out[at + 34 + j] = signs[j]!;
};

/**
 * Quantizes rows to IQ2_S: 256 weights in 82 bytes, sixteen sub-blocks of 16 with a 4-bit sub-scale s
 * each; eight magnitudes are an entry of a codebook of 1024, every sign a bit; x̂ = ±d/8·(2s + 1)·level.
 *
 * @see ggml-quants.c quantize_row_iq2_s_impl (llama.cpp v0.5.0). Same weights up to the ridge; differs
 * in the search: see fitCodebook. Error at most ggml's on test/golden/ggml-encode.json.
 */
export const encodeIQ2S: Encoder = codebookEncoder({
  type: 'IQ2_S',
  evenSigns: false,
  share: 0.125,
  subBlock: 16,
  packEntries: packIQ2S,
  packScales: (subScales, out) => packSubScales(subScales, out, 74),
});
