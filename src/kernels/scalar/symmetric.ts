import type { Encoder } from '../kernels.ts';
import { decodeQ4_0, decodeQ5_0 } from './decode-legacy.ts';
import { blockEncoder, maxHalf, putWord, smallestPeak } from './encoder.ts';
import { integerPeak, integersOf, scaleInteger } from './integers.ts';
import { packFiveBits, packNibbles } from './pack.ts';
import { searchScale, storedCodes, type SignedSearch } from './signed-codes.ts';
import { extremeOf } from './symmetric-fit.ts';

const { fround } = Math;

/**
 * Codes −n … n − 1. −n is the outermost code, a little further clips it, n − 1 uses the other side. Targets were found
 * by greedy selection over Gaussian, Student-t(4) and model weights; they serve the search with importance.
 */
interface Search extends SignedSearch {
  /** Targets of the search without importance, in 2⁻¹⁵ steps per unit of `integersOf`. */
  readonly multipliers: readonly number[];
}

const q4Search: Search = {
  lowest: -8,
  highest: 7,
  targets: [
    -8.1875, -8.625, 7.1875, -7.8125, -8.875, -6.875, -8, -8.375, -6.125, -7.625, -7.375, -9,
    -7.125, 7.6875, 8.1875, -6.625,
  ],
  refits: 2,
  multipliers: [-131, -138, 115],
};

const q5Search: Search = {
  lowest: -16,
  highest: 15,
  targets: [
    -15.875, 15.125, -16.375, -14.125, -15.8125, -14.6875, 13.125, -16.875, 14, 15.3125, -16.1875,
    -15.1875, 13.6875, -14.3125, 13.375, -16.625,
  ],
  refits: 2,
  multipliers: [-258, -243, -263, -226, -253, -237, 210, -267],
};

/**
 * The search without importance, on 12-bit integers: a trial then costs a third. The values only
 * choose among codes and average into one scale, so their 2⁻¹² vanishes in the rounding of that.
 */
function searchPlain(values: Float32Array, peak: number, search: Search): number {
  const { lowest, highest, multipliers } = search;
  const integers = integersOf(values, peak);
  let best = { gain: -1, scale: 0 };
  for (const multiplier of multipliers) {
    const codes = integers.map((x) =>
      Math.max(Math.min(scaleInteger(x, multiplier), highest), lowest),
    );
    const xl = fround(integers.reduce((sum, x, i) => sum + x * codes[i]!, 0));
    const ll = fround(codes.reduce((sum, l) => sum + l * l, 0));
    const scale = fround(xl / ll);
    const gain = fround(xl * scale);
    if (gain > best.gain) best = { gain, scale };
  }
  return fround(best.scale * fround(peak / integerPeak));
}

function symmetricEncoder(type: 'Q4_0' | 'Q5_0', search: Search): Encoder {
  const decode = type === 'Q4_0' ? decodeQ4_0 : decodeQ5_0;
  const n = -search.lowest;
  return blockEncoder(
    type,
    (values, weights, out, at, weighted) => {
      const peak = extremeOf(values);
      const magnitude = Math.abs(peak);
      let scale = 0;
      if (magnitude > maxHalf * n) scale = peak > 0 ? -maxHalf : maxHalf;
      else if (magnitude >= smallestPeak)
        scale = weighted
          ? searchScale(values, weights, peak, search)
          : searchPlain(values, peak, search);
      const { half, codes } = storedCodes(values, scale, search);
      const unsigned = codes.map((code) => code + n);
      putWord(out, at, half);
      if (n === 16) packFiveBits(unsigned, out, at + 2);
      else packNibbles(unsigned, out, at + 2);
    },
    decode,
  );
}

/**
 * Q4_0: signed codes times one scale. Where ggml takes the scale from the peak (without imatrix) or
 * from 19 trials (with), we search without imatrix too, try targets on both sides of zero, refit, and
 * round to the final binary16 scale.
 *
 * @see ggml/src/ggml-quants.c (make_qx_quants), llama.cpp v0.5.0: weighted error at most ggml's on
 * test/golden/ggml-encode.json.
 */
export const encodeQ4_0 = symmetricEncoder('Q4_0', q4Search);

/** Q5_0: Q4_0 with a fifth bit. */
export const encodeQ5_0 = symmetricEncoder('Q5_0', q5Search);
