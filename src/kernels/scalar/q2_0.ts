import type { Encoder } from '../kernels.ts';
import { decodeQ2_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, putWord, smallestPeak } from './encoder.ts';
import { searchScale, storedCodes, type SignedSearch } from './signed-codes.ts';
import { extremeOf } from './symmetric-fit.ts';

/** 2 is the outermost code, −1 the other end. */
const search: SignedSearch = {
  lowest: -1,
  highest: 2,
  targets: [2, 2.5, 3, 1.75, 3.5, 2.25, -1, -1.5, -2, -2.5, 1, 1.375],
  refits: 3,
};

/**
 * Q2_0: the codes −1, 0, 1, 2 times one scale of 64 weights, which may be negative. ggml takes the largest magnitude for
 * the scale, so that the code 2 is never used: right for weights that are ternary already, which the search here
 * stores without loss too.
 *
 * @see ggml/src/ggml-quants.c (quantize_row_q2_0_ref), llama.cpp v0.5.0.
 */
export const encodeQ2_0: Encoder = blockEncoder(
  'Q2_0',
  (values, weights, out, at) => {
    const peak = extremeOf(values);
    let scale = 0;
    if (Math.abs(peak) > maxHalf * 2) scale = peak > 0 ? maxHalf : -maxHalf;
    else if (Math.abs(peak) >= smallestPeak) scale = searchScale(values, weights, peak, search);
    const { half, codes } = storedCodes(values, scale, search);
    putWord(out, at, half);
    for (let byte = 0; byte < 16; byte++) {
      let bits = 0;
      for (let j = 0; j < 4; j++) bits |= (codes[4 * byte + j]! + 1) << (2 * j);
      out[at + 2 + byte] = bits;
    }
  },
  decodeQ2_0,
);
