import type { Encoder } from '../kernels.ts';
import { codesAt } from './codes.ts';
import type { FitBlock } from './fit-block.ts';
import { iq4Grid, iq4Tuning, packIq4 } from './iq4-grid.ts';
import { fitScale, halfScale, inverseOf, sumsAt, type Search } from './symmetric-fit.ts';
import { symmetricEncoder } from './symmetric-encoder.ts';

const f = Math.fround;

/**
 * Quantizes rows to IQ4_NL: 32 weights in 18 bytes, one f16 scale, 4-bit codes into a fixed table of
 * sixteen values that lie closer together near 0; x̂ = d·table[code].
 *
 * @see ggml-quants.c quantize_row_iq4_nl_impl (llama.cpp v0.5.0). Same weights up to the ridge;
 * differs in the search: see fitScale. The scale is fitted once more to the final codes.
 * Error at most ggml's on the vectors of test/golden/ggml-symmetric.json.
 */
export const encodeIQ4NL: Encoder = symmetricEncoder({
  type: 'IQ4_NL',
  ...iq4Tuning,
  subBlock: 32,
  together: 4,
  scalesImportance: true,
  encode,
});

function encode(block: FitBlock, search: Search, out: Uint8Array): number {
  const range = { block, first: 0, count: block.values.length };
  const searched = halfScale(fitScale(range, iq4Grid, search), block.unit);
  const { wxl, wll } = sumsAt(range, inverseOf(searched.value), iq4Grid.nearest);
  const scale = halfScale(wxl === 0 ? 0 : f(wxl / wll), block.unit);
  const codes = codesAt(block, [scale.value], iq4Grid);
  out[0] = scale.bits & 255;
  out[1] = scale.bits >> 8;
  packIq4(codes.values, out, 2);
  return codes.squaredError;
}
