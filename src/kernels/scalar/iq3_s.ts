import type { Encoder } from '../kernels.ts';
import { codebookEncoder, packSubScales, type CodebookBlock } from './codebook-encoder.ts';

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
  tried: 2,
  stretch: 1.006,
  plain: {
    ridge: 1,
    search: { targets: [13, 14, 15, 16, 17.5, 19], refinements: 1, subScaleSteps: [0, 1, -1] },
  },
  importance: {
    ridge: 0.07,
    search: {
      targets: [12, 13, 14, 15, 16, 17, 18.5, 20],
      refinements: 1,
      subScaleSteps: [0, 1, -1],
    },
  },
  subBlock: 32,
  pack,
});

/** Low eight bits of the entries, their high bits, signs, sub-scales. */
function pack({ entries, signs, subScales }: CodebookBlock, out: Uint8Array): void {
  entries.forEach((entry, group) => {
    out[2 + group] = entry;
    out[66 + (group >> 3)]! |= (entry >> 8) << (group & 7);
  });
  out.set(signs, 74);
  packSubScales(subScales, out, 106);
}
